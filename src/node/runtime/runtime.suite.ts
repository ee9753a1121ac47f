// The contract of Runtime, run on every implementation.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type ContainerConfig, LABELS, type Runtime, RuntimeError, type RuntimePod, type SandboxConfig } from "./runtime.ts";
import { ANNOTATION_PREFIX } from "./simulated/behaviour.ts";

export interface RuntimeUnderTest {
  readonly runtime: Runtime;
  /** An image that the runtime has or can pull, with a shell. */
  readonly image: string;
  readonly logDirectory: string;
  readonly cgroupParent: string;
  /** Lets so much time pass. */
  pass(durationMs: number): Promise<void>;
  dispose(): Promise<void>;
}

export interface ContainerScript {
  readonly name?: string;
  readonly attempt?: number;
  /** Runs so long and ends with this code; undefined runs until it is stopped. */
  readonly runForSeconds?: number;
  readonly exitCode?: number;
}

export function sandboxOf(test: Pick<RuntimeUnderTest, "logDirectory" | "cgroupParent">, name: string, attempt = 0): SandboxConfig {
  const uid = `uid-of-${name}`;
  return {
    name,
    namespace: "default",
    uid,
    attempt,
    hostname: name,
    logDirectory: `${test.logDirectory}/default_${name}_${uid}`,
    dns: { servers: ["10.96.0.10"], searches: ["default.svc.cluster.local"], options: ["ndots:5"] },
    portMappings: [],
    labels: { [LABELS.podName]: name, [LABELS.podNamespace]: "default", [LABELS.podUid]: uid },
    annotations: {},
    cgroupParent: test.cgroupParent,
    sysctls: {},
    namespaces: { network: "POD", pid: "CONTAINER", ipc: "POD" },
    security: { supplementalGroups: [], privileged: false },
    runtimeHandler: "",
  };
}

export function containerOf(image: string, sandbox: SandboxConfig, script: ContainerScript): ContainerConfig {
  const { name = "main", attempt = 0, runForSeconds, exitCode = 0 } = script;
  const endless = 'trap "exit 143" TERM; while true; do sleep 0.05; done';
  const annotations: Record<string, string> =
    runForSeconds === undefined
      ? {}
      : { [`${ANNOTATION_PREFIX}run-for-seconds`]: String(runForSeconds), [`${ANNOTATION_PREFIX}exit-code`]: String(exitCode) };
  return {
    name,
    attempt,
    image,
    command: ["sh", "-c", runForSeconds === undefined ? endless : `echo hello; sleep ${runForSeconds}; exit ${exitCode}`],
    args: [],
    workingDir: "",
    env: [{ name: "PATH", value: "/bin" }],
    mounts: [],
    labels: { ...sandbox.labels, [LABELS.containerName]: name },
    annotations,
    logPath: `${name}/${attempt}.log`,
    stdin: false,
    stdinOnce: false,
    tty: false,
    resources: { cpuShares: 102, memoryLimitBytes: 64 * 1024 * 1024 },
    security: {
      supplementalGroups: [],
      privileged: false,
      readonlyRootFilesystem: false,
      noNewPrivileges: false,
      addCapabilities: [],
      dropCapabilities: [],
      namespaces: { network: "POD", pid: "CONTAINER", ipc: "POD" },
    },
  };
}

export function runtimeSuite(name: string, create: () => Promise<RuntimeUnderTest>): void {
  describe(`${name} as a Runtime`, () => {
    let test: RuntimeUnderTest;
    before(async () => {
      test = await create();
      if ((await test.runtime.imageStatus(test.image)) === undefined) await test.runtime.pullImage(test.image, undefined);
    });
    after(() => test.dispose());

    async function start(podName: string, script: ContainerScript) {
      const sandbox = sandboxOf(test, podName);
      const sandboxId = await test.runtime.runSandbox(sandbox);
      const id = await test.runtime.createContainer(sandboxId, containerOf(test.image, sandbox, script), sandbox);
      await test.runtime.startContainer(id);
      return { id, sandboxId, sandbox };
    }

    async function podOf(podUid: string): Promise<RuntimePod | undefined> {
      const pods = await test.runtime.listPods(podUid);
      assert.ok(pods.length <= 1, "one pod a uid");
      return pods[0];
    }

    async function remove(sandboxId: string): Promise<void> {
      await test.runtime.stopSandbox(sandboxId);
      await test.runtime.removeSandbox(sandboxId);
    }

    it("is ready and tells its version", async () => {
      const status = await test.runtime.status();
      assert.deepEqual(status, { ...status, runtimeReady: true, networkReady: true, message: "" });
      assert.notEqual((await test.runtime.version()).name, "");
    });

    it("shows a running pod with its address, labels and times", async () => {
      const { id, sandboxId, sandbox } = await start("running", {});
      const pod = await podOf(sandbox.uid);
      assert.equal(pod?.name, "running");
      assert.equal(pod?.namespace, "default");
      assert.equal(pod?.sandboxes[0]?.state, "READY");
      assert.match(pod?.sandboxes[0]?.ips[0] ?? "", /^10\.\d+\.\d+\.\d+$/);
      const container = await test.runtime.containerStatus(id);
      assert.equal(container.state, "RUNNING");
      assert.equal(container.sandboxId, sandboxId);
      assert.ok(container.startedAtMs >= container.createdAtMs && container.finishedAtMs <= 0);
      assert.equal(container.labels[LABELS.podUid], sandbox.uid);
      assert.deepEqual(pod?.containers, [container]);
      await remove(sandboxId);
      assert.equal(await podOf(sandbox.uid), undefined);
    });

    it("keeps the exit code of a container that ended and tells of it", async () => {
      const abort = new AbortController();
      const seen: string[] = [];
      const listening = (async () => {
        for await (const { podUid } of test.runtime.events(abort.signal)) {
          const state = (await podOf(podUid))?.containers[0]?.state;
          seen.push(`${podUid} ${state}`);
        }
      })();
      await test.pass(50);
      const { id, sandboxId, sandbox } = await start("ended", { runForSeconds: 0.1, exitCode: 3 });
      await test.pass(1_000);
      const status = await test.runtime.containerStatus(id);
      assert.equal(status.state, "EXITED");
      assert.equal(status.exitCode, 3);
      assert.equal(status.reason, "Error");
      assert.ok(status.finishedAtMs >= status.startedAtMs + 100);
      assert.ok(seen.includes(`${sandbox.uid} EXITED`), `events: ${seen.join(", ")}`);
      await remove(sandboxId);
      abort.abort();
      await listening;
    });

    it("lists the newest attempt first", async () => {
      const { sandboxId, sandbox } = await start("again", { runForSeconds: 0 });
      await test.pass(300);
      await test.runtime.createContainer(sandboxId, containerOf(test.image, sandbox, { attempt: 1 }), sandbox);
      assert.deepEqual(
        (await podOf(sandbox.uid))?.containers.map(({ attempt, state }) => [attempt, state]),
        [
          [1, "CREATED"],
          [0, "EXITED"],
        ],
      );
      await remove(sandboxId);
    });

    it("stops a container that obeys its stop signal", async () => {
      const { id, sandboxId } = await start("obedient", {});
      await test.pass(200);
      await test.runtime.stopContainer(id, 10);
      const status = await test.runtime.containerStatus(id);
      assert.equal(status.state, "EXITED");
      assert.equal(status.exitCode, 143);
      await remove(sandboxId);
    });

    it("ends containers with their sandbox", async () => {
      const { id, sandboxId, sandbox } = await start("whole", {});
      await test.runtime.stopSandbox(sandboxId);
      assert.equal((await test.runtime.containerStatus(id)).state, "EXITED");
      assert.equal((await podOf(sandbox.uid))?.sandboxes[0]?.state, "NOTREADY");
      await test.runtime.removeSandbox(sandboxId);
      await assert.rejects(test.runtime.containerStatus(id), (error) => error instanceof RuntimeError && error.code === "NOT_FOUND");
    });

    it("stops and removes what is gone without an error, and refuses to start it", async () => {
      await test.runtime.stopContainer("gone", 0);
      await test.runtime.removeContainer("gone");
      await test.runtime.stopSandbox("gone");
      await test.runtime.removeSandbox("gone");
      await assert.rejects(test.runtime.startContainer("gone"), (error) => error instanceof RuntimeError && error.code === "NOT_FOUND");
    });

    it("runs a command in a container", async () => {
      const { id, sandboxId } = await start("exec", {});
      assert.equal((await test.runtime.execSync(id, ["true"], 5)).exitCode, 0);
      await remove(sandboxId);
    });

    it("tells what running containers use", async () => {
      const { id, sandboxId, sandbox } = await start("usage", {});
      const usage = (await test.runtime.usage()).find(({ containerId }) => containerId === id);
      assert.equal(usage?.podUid, sandbox.uid);
      assert.equal(usage?.containerName, "main");
      await remove(sandboxId);
    });

    it("knows the images it has and no others", async () => {
      const image = await test.runtime.imageStatus(test.image);
      assert.match(image?.id ?? "", /^sha256:[0-9a-f]{64}$/);
      assert.ok((await test.runtime.listImages()).some(({ id }) => id === image?.id));
      assert.equal(await test.runtime.imageStatus("registry.test/none:1"), undefined);
    });
  });
}
