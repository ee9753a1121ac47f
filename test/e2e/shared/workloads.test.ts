// The workload controllers as kubectl sees them, with real containers and real rights.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Cluster, eventually } from "../cluster.fixture.ts";

interface Listed {
  readonly items: readonly {
    readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
    readonly spec?: { readonly containers?: readonly { readonly image: string }[] };
    readonly status?: { readonly phase?: string };
  }[];
}

const busybox = (...command: string[]) => ({ name: "main", image: "busybox", command });
const forever = busybox("sleep", "100000");

function workload(kind: string, name: string, spec: object, container: object = forever) {
  const labels = { app: name };
  const template = { metadata: { labels }, spec: { terminationGracePeriodSeconds: 0, containers: [container] } };
  return { apiVersion: "apps/v1", kind, metadata: { name }, spec: { selector: { matchLabels: labels }, template, ...spec } };
}

describe("workloads", () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await Cluster.shared("workloads");
  });
  after(async () => {
    await cluster[Symbol.asyncDispose]();
  });

  const images = async (app: string) => {
    const { items } = await cluster.get<Listed>("pods", "-l", `app=${app}`);
    return items.map(({ spec }) => spec?.containers?.[0]?.image ?? "");
  };

  it("roll a DaemonSet out and back", async () => {
    await cluster.apply(workload("DaemonSet", "agent", {}));
    await cluster.kubectl("rollout", "status", "ds/agent", "--timeout=60s");
    assert.equal((await images("agent")).length, 2);
    await cluster.kubectl("set", "image", "ds/agent", "main=docker.io/library/busybox:latest");
    await cluster.kubectl("rollout", "status", "ds/agent", "--timeout=60s");
    assert.deepEqual(new Set(await images("agent")), new Set(["docker.io/library/busybox:latest"]));
    assert.match(await cluster.kubectl("rollout", "history", "ds/agent"), /REVISION.*\n1 .*\n2 /);
    await cluster.kubectl("rollout", "undo", "ds/agent");
    await cluster.kubectl("rollout", "status", "ds/agent", "--timeout=60s");
    assert.deepEqual(new Set(await images("agent")), new Set(["busybox"]));
  });

  it("give each pod of a StatefulSet a claim, and roll it out and back", async () => {
    const claim = { metadata: { name: "data" }, spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Mi" } } } };
    const mount = { ...forever, volumeMounts: [{ name: "data", mountPath: "/data" }] };
    const spec = { replicas: 2, serviceName: "db", volumeClaimTemplates: [claim] };
    await cluster.apply(workload("StatefulSet", "db", spec, mount));
    await cluster.kubectl("rollout", "status", "sts/db", "--timeout=60s");
    await cluster.kubectl("exec", "db-1", "--", "sh", "-c", "echo kept > /data/file");
    await cluster.kubectl("set", "image", "sts/db", "main=docker.io/library/busybox:latest");
    await cluster.kubectl("rollout", "status", "sts/db", "--timeout=60s");
    assert.equal(await cluster.kubectl("exec", "db-1", "--", "cat", "/data/file"), "kept\n");
    await cluster.kubectl("rollout", "undo", "sts/db");
    await cluster.kubectl("rollout", "status", "sts/db", "--timeout=60s");
    assert.deepEqual(await images("db"), ["busybox", "busybox"]);
  });

  it("run Jobs to their end, and CronJobs at once when asked", async () => {
    const template = { spec: { restartPolicy: "Never", containers: [busybox("sh", "-c", "echo index $JOB_COMPLETION_INDEX")] } };
    const job = { completions: 3, parallelism: 3, completionMode: "Indexed", template };
    await cluster.apply({ apiVersion: "batch/v1", kind: "Job", metadata: { name: "index" }, spec: job });
    await cluster.kubectl("wait", "--for=condition=complete", "job/index", "--timeout=60s");
    const logs = await cluster.kubectl("logs", "-l", "job-name=index");
    assert.deepEqual(logs.trim().split("\n").sort(), ["index 0", "index 1", "index 2"]);
    await cluster.kubectl("create", "cronjob", "nightly", "--image=busybox", "--schedule=0 3 * * *", "--", "true");
    await cluster.kubectl("create", "job", "tonight", "--from=cronjob/nightly");
    await cluster.kubectl("wait", "--for=condition=complete", "job/tonight", "--timeout=60s");
  });

  it("scale by the CPU that pods really use", async () => {
    const burning = { ...busybox("sh", "-c", "while :; do :; done"), resources: { requests: { cpu: "50m" }, limits: { cpu: "100m" } } };
    await cluster.apply(workload("Deployment", "burner", { replicas: 1 }, burning));
    await cluster.kubectl("rollout", "status", "deploy/burner", "--timeout=60s");
    await cluster.kubectl("autoscale", "deploy/burner", "--min=1", "--max=2", "--cpu=50%");
    const isScaled = async () => (await cluster.kubectl("get", "deploy/burner", "-o", "jsonpath={.spec.replicas}")) === "2";
    await eventually("the autoscaler to see the load", isScaled, 120_000);
    await cluster.kubectl("delete", "hpa,deploy", "burner");
  });

  it("keep evictions within a disruption budget", async () => {
    await cluster.apply(workload("Deployment", "budgeted", { replicas: 2 }));
    await cluster.kubectl("rollout", "status", "deploy/budgeted", "--timeout=60s");
    await cluster.kubectl("create", "pdb", "budgeted", "--selector=app=budgeted", "--min-available=2");
    const allowed = async () => cluster.kubectl("get", "pdb", "budgeted", "-o", "jsonpath={.status.conditions[0].reason}");
    await eventually("the budget to be known", async () => (await allowed()) === "InsufficientPods");
    const { code, stderr } = await cluster.tryKubectl(["drain", "node-1", "--pod-selector=app=budgeted", "--timeout=5s"]);
    await cluster.kubectl("uncordon", "node-1");
    const isHere = (await cluster.get<Listed>("pods", "-l", "app=budgeted")).items.length === 2;
    assert.ok(isHere && (code === 0 || /violate the pod's disruption budget|timeout|timed out|global timeout/.test(stderr)), stderr);
  });
});
