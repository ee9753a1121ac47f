import assert from "node:assert/strict";
import { test } from "node:test";
import { resources } from "../api/index.ts";
import { AgentWorld, container } from "./agent.fixture.ts";

test("a pod bound to the node runs and becomes ready", async () => {
  await using world = new AgentWorld();
  world.start();
  await world.createPod("web", {});
  await world.clock.advance(1_000);
  assert.equal(world.phase("web"), "Running");
  assert.equal(world.condition("web", "Ready")?.status, "True");
  assert.deepEqual(world.reasons("web"), ["Pulling", "Pulled", "Created", "Started"]);
  const status = world.pod("web")?.status;
  assert.equal(status?.hostIP, "192.0.2.1");
  assert.match(status?.podIP ?? "", /^10\.244\./);
  assert.match(status?.containerStatuses?.[0]?.containerID ?? "", /^containerd:\/\//);
  const patches = world.client.statusPatches.length;
  await world.clock.advance(120_000);
  assert.equal(world.client.statusPatches.length, patches, "a settled pod is not written again");
});

test("the node registers, is Ready at once and renews its lease", async () => {
  await using world = new AgentWorld();
  world.start();
  await world.clock.advance(0);
  const node = world.client.peek(resources.nodes, "node-1");
  assert.equal(node?.status?.conditions?.find(({ type }) => type === "Ready")?.status, "True");
  assert.equal(node?.status?.capacity?.["cpu"], "4");
  assert.equal(node?.metadata.labels?.["kubernetes.io/hostname"], "node-1");
  const renewed = () => world.client.peek(resources.leases, "node-1", "kube-node-lease")?.spec?.renewTime;
  const before = renewed();
  await world.clock.advance(10_000);
  assert.notEqual(renewed(), before);
});

test("a deleted pod is stopped in its grace and its object removed", async () => {
  await using world = new AgentWorld();
  world.start();
  await world.createPod("web", {}, { "sim.k8ts.dev/stop-delay-seconds": "5" });
  await world.clock.advance(1_000);
  await world.client.delete(resources.pods, "web", { namespace: "default" });
  await world.clock.advance(4_000);
  assert.notEqual(world.pod("web"), undefined, "the container has not ended yet");
  await world.clock.advance(3_000);
  assert.equal(world.pod("web"), undefined);
  assert.deepEqual(await world.runtime.listPods(), []);
  assert.ok(world.reasons("web").includes("Killing"));
});

test("a pod of a job that ends with success is Succeeded and not started again", async () => {
  await using world = new AgentWorld();
  world.start();
  await world.createPod("job", { restartPolicy: "Never" }, { "sim.k8ts.dev/run-for-seconds": "3" });
  await world.clock.advance(60_000);
  assert.equal(world.phase("job"), "Succeeded");
  assert.equal(world.pod("job")?.status?.containerStatuses?.[0]?.restartCount, 0);
  assert.equal(world.pod("job")?.status?.containerStatuses?.[0]?.state?.terminated?.reason, "Completed");
});

test("a crashing container waits 10 s, 20 s, 40 s between its starts", async () => {
  await using world = new AgentWorld();
  world.start();
  await world.createPod("crash", {}, { "sim.k8ts.dev/run-for-seconds": "1", "sim.k8ts.dev/exit-code": "3" });
  await world.clock.advance(90_000);
  const starts = world.events.filter(({ reason }) => reason === "Started").map(({ atMs }) => atMs / 1000);
  const gaps = starts.slice(1).map((start, index) => start - (starts[index] ?? 0));
  assert.deepEqual(gaps, [1, 11, 21, 41], "each gap is one second of running and the back-off");
  const status = world.pod("crash")?.status?.containerStatuses?.[0];
  assert.equal(status?.state?.waiting?.reason, "CrashLoopBackOff");
  assert.match(status?.state?.waiting?.message ?? "", /^back-off 1m20s restarting failed container=main pod=crash_default\(uid-crash\)$/);
  assert.equal(status?.lastState?.terminated?.exitCode, 3);
  assert.equal(world.phase("crash"), "Running");
});

test("init containers run one after the other before the main containers, sidecars stay", async () => {
  await using world = new AgentWorld();
  world.start();
  const initContainers = [container("first"), { ...container("proxy"), restartPolicy: "Always" }, container("second")];
  const annotations = { "sim.k8ts.dev/run-for-seconds.first": "2", "sim.k8ts.dev/run-for-seconds.second": "2" };
  await world.createPod("app", { initContainers }, annotations);
  await world.clock.advance(1_000);
  assert.equal(world.condition("app", "Initialized")?.message, "containers with incomplete status: [first proxy second]");
  assert.equal(world.pod("app")?.status?.containerStatuses?.[0]?.state?.waiting?.reason, "PodInitializing");
  await world.clock.advance(10_000);
  const started = world.events.filter(({ reason }) => reason === "Started").map(({ about }) => about.fieldPath);
  assert.deepEqual(started, [
    "spec.initContainers{first}",
    "spec.initContainers{proxy}",
    "spec.initContainers{second}",
    "spec.containers{main}",
  ]);
  assert.equal(world.condition("app", "Ready")?.status, "True");
  assert.deepEqual(
    world.pod("app")?.status?.initContainerStatuses?.map(({ name, ready }) => [name, ready]),
    [
      ["first", true],
      ["proxy", true],
      ["second", true],
    ],
  );
});

test("a restarted agent adopts what runs and starts nothing again", async () => {
  await using world = new AgentWorld();
  world.start();
  await world.createPod("web", {});
  await world.clock.advance(1_000);
  const before = world.pod("web")?.status?.containerStatuses?.[0]?.containerID;
  await world.stop();
  world.start();
  await world.clock.advance(61_000);
  assert.equal(world.pod("web")?.status?.containerStatuses?.[0]?.containerID, before);
  assert.equal(world.reasons("web").filter((reason) => reason === "Started").length, 1);
});

test("pods that vanished from the API while the agent was down are killed and removed", async () => {
  await using world = new AgentWorld();
  world.start();
  await world.createPod("web", {});
  await world.clock.advance(1_000);
  await world.stop();
  await world.client.delete(resources.pods, "web", { namespace: "default", options: { gracePeriodSeconds: 0 } });
  world.start();
  await world.clock.advance(5_000);
  assert.deepEqual(await world.runtime.listPods(), []);
});

test("a pod that asks for more than is left fails with OutOfcpu", async () => {
  await using world = new AgentWorld();
  world.start();
  const big = { ...container("main"), resources: { requests: { cpu: "3" } } };
  await world.clock.advance(0);
  await world.createPod("one", { containers: [big] });
  await world.clock.advance(1_000);
  await world.createPod("two", { containers: [big] });
  await world.clock.advance(1_000);
  assert.equal(world.phase("one"), "Running");
  assert.equal(world.phase("two"), "Failed");
  assert.equal(world.pod("two")?.status?.reason, "OutOfcpu");
  assert.match(world.pod("two")?.status?.message ?? "", /requested: 3000, used: 3000, capacity: 4000$/);
});

test("a failing liveness probe restarts the container, a failing readiness probe makes the pod unready", async () => {
  await using world = new AgentWorld();
  world.start();
  const probe = { tcpSocket: { port: 80 }, periodSeconds: 5, failureThreshold: 3, successThreshold: 1, timeoutSeconds: 1 };
  const never = { "sim.k8ts.dev/ready-after-seconds": "100000" };
  await world.createPod("sick", { containers: [{ ...container("main"), livenessProbe: probe }] }, never);
  await world.createPod(
    "slow",
    { containers: [{ ...container("main"), readinessProbe: probe }] },
    { "sim.k8ts.dev/ready-after-seconds": "7" },
  );
  await world.clock.advance(6_000);
  assert.equal(world.condition("slow", "Ready")?.status, "False");
  assert.equal(world.condition("slow", "Ready")?.message, "containers with unready status: [main]");
  await world.clock.advance(6_000);
  assert.equal(world.condition("slow", "Ready")?.status, "True");
  assert.equal(world.pod("sick")?.status?.containerStatuses?.[0]?.restartCount, 1);
  assert.ok(world.events.some(({ message }) => message === "Container main failed liveness probe, will be restarted"));
});

test("a pod past its active deadline fails with DeadlineExceeded", async () => {
  await using world = new AgentWorld();
  world.start();
  await world.createPod("late", { activeDeadlineSeconds: 20 });
  await world.clock.advance(19_000);
  assert.equal(world.phase("late"), "Running");
  await world.clock.advance(3_000);
  assert.equal(world.phase("late"), "Failed");
  assert.equal(world.pod("late")?.status?.reason, "DeadlineExceeded");
});

test("a container's own restart policy and rules go before the pod's", async () => {
  await using world = new AgentWorld();
  world.start();
  const fails = { "sim.k8ts.dev/run-for-seconds": "1", "sim.k8ts.dev/exit-code": "42" };
  const rule = (values: number[]) => [{ action: "Restart", exitCodes: { operator: "In", values } }];
  await world.createPod("never", { containers: [{ ...container("main"), restartPolicy: "Never" }] }, fails);
  const listed = { ...container("main"), restartPolicy: "Never", restartPolicyRules: rule([42]) };
  await world.createPod("listed", { restartPolicy: "Never", containers: [listed] }, fails);
  const other = { ...container("main"), restartPolicy: "Never", restartPolicyRules: rule([1]) };
  await world.createPod("other", { restartPolicy: "Never", containers: [other] }, fails);
  await world.clock.advance(30_000);
  assert.equal(world.phase("never"), "Failed");
  assert.equal(world.phase("other"), "Failed");
  assert.equal(world.phase("listed"), "Running");
  assert.ok((world.pod("listed")?.status?.containerStatuses?.[0]?.restartCount ?? 0) >= 1);
});

test("a probe's own grace goes before the pod's when it condemns a container", async () => {
  await using world = new AgentWorld();
  world.start();
  const livenessProbe = { tcpSocket: { port: 80 }, periodSeconds: 1, failureThreshold: 1, terminationGracePeriodSeconds: 2 };
  const sick = { "sim.k8ts.dev/ready-after-seconds": "100000", "sim.k8ts.dev/stop-delay-seconds": "60" };
  await world.createPod("sick", { terminationGracePeriodSeconds: 60, containers: [{ ...container("main"), livenessProbe }] }, sick);
  await world.clock.advance(6_000);
  assert.ok((world.pod("sick")?.status?.containerStatuses?.[0]?.restartCount ?? 0) >= 1, "it did not get a minute");
});

test("a name that the kernel does not hold keeps a pod from starting", async () => {
  await using world = new AgentWorld();
  world.start();
  await world.createPod("long", { hostname: "h".repeat(40), subdomain: "s".repeat(30), setHostnameAsFQDN: true });
  await world.clock.advance(1_000);
  const failure = world.events.find(({ reason }) => reason === "FailedCreatePodSandBox");
  assert.match(
    failure?.message ?? "",
    /FQDN h{40}\.s{30}\.default\.svc\.cluster\.local is too long \(64 is the max, 97 characters requested\)$/,
  );
});

test("a pod's status is written twice on the way to Running: when the node has it, and when it runs", async () => {
  await using world = new AgentWorld();
  const written: string[] = [];
  const { client, clock, runtime } = world;
  const [patch, runSandbox, startContainer] = [
    client.patch.bind(client),
    runtime.runSandbox.bind(runtime),
    runtime.startContainer.bind(runtime),
  ];
  Object.assign(client, {
    patch: (...args: Parameters<typeof patch>) => {
      if (args[0].resource === "pods") written.push(JSON.stringify(args[2]));
      return patch(...args);
    },
  });
  Object.assign(runtime, {
    runSandbox: async (...args: Parameters<typeof runSandbox>) => {
      await clock.sleep(100);
      return await runSandbox(...args);
    },
    startContainer: async (...args: Parameters<typeof startContainer>) => {
      await clock.sleep(world.pod("slow") === undefined ? 80 : 5_000);
      await startContainer(...args);
    },
  });
  world.start();
  await world.createPod("web", {});
  await clock.advance(1_000);
  assert.equal(world.phase("web"), "Running");
  assert.equal(written.length, 2, written.join("\n"));
  await world.createPod("slow", {});
  await clock.advance(1_000);
  assert.equal(world.pod("slow")?.status?.podIP, "10.244.0.3", "nobody waits long for the address");
  assert.equal(world.condition("slow", "PodReadyToStartContainers")?.status, "True");
});
