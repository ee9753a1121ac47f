import assert from "node:assert/strict";
import { test } from "node:test";
import type { ContainerStatus, RuntimePod } from "../runtime/runtime.ts";
import { statusPatch } from "../status/status-patch.ts";
import type { PodObject } from "./pod-object.ts";
import type { PodView } from "./pod-view.ts";
import { nextBackoff, restartAt } from "./restart-backoff.ts";
import { step } from "./step.ts";

const image = "example/app:1";

function life(name: string, state: ContainerStatus["state"], more: Partial<ContainerStatus> = {}): ContainerStatus {
  const times = { createdAtMs: 1, startedAtMs: 1, finishedAtMs: state === "EXITED" ? 1000 : 0 };
  const base = { id: `${name}-id`, name, sandboxId: "s0", attempt: 0, state, ...times, exitCode: 0, reason: "", message: "" };
  return { ...base, image, imageRef: "sha256:1", logPath: "", labels: {}, annotations: {}, ...more };
}

function viewOf(containers: readonly ContainerStatus[], more: Partial<PodView> = {}): PodView {
  const sandbox = { id: "s0", state: "READY" as const, createdAtMs: 1, attempt: 0, ips: ["10.244.0.2"], labels: {} };
  const runtime: RuntimePod = { uid: "u", name: "web", namespace: "default", sandboxes: [sandbox], containers };
  const pod: PodObject = {
    metadata: { name: "web", namespace: "default", uid: "u" },
    spec: { initContainers: [sidecar("a"), sidecar("b")], containers: [{ name: "main", image }], terminationGracePeriodSeconds: 30 },
  };
  return {
    pod,
    nowMs: 5_000,
    runtime,
    stopped: new Set(),
    state: { kind: "running" },
    isOrphan: false,
    hasVolumes: true,
    busy: new Set(),
    retryAtMs: new Map(),
    backoffs: new Map(),
    failures: new Map(),
    probes: { isStarted: () => true, isReady: () => true },
    condemned: new Map(),
    actual: new Map(),
    groupResources: undefined,
    resize: {},
    ...more,
  };
}

function sidecar(name: string) {
  return { name, image, restartPolicy: "Always" };
}

function actionsOf(view: PodView): readonly string[] {
  return step(view).actions.map((action) => ("name" in action ? `${action.kind} ${action.name}` : action.kind));
}

test("an ending pod stops its main containers, then its sidecars from the last to the first, then its sandbox", () => {
  const state = { kind: "terminating", sinceMs: 4_000, graceSeconds: 30 } as const;
  const alive = (...names: string[]) => names.map((name) => life(name, "RUNNING"));
  assert.deepEqual(actionsOf(viewOf(alive("a", "b", "main"), { state })), ["killContainer main"]);
  assert.deepEqual(actionsOf(viewOf(alive("a", "b"), { state })), ["killContainer b"]);
  assert.deepEqual(actionsOf(viewOf(alive("a"), { state })), ["killContainer a"]);
  assert.deepEqual(actionsOf(viewOf([], { state })), ["stopSandbox"]);
});

test("what the runtime starts after the pod has ended is ended at once", () => {
  const plan = step(viewOf([life("main", "RUNNING")], { state: { kind: "finished" } }));
  assert.equal(plan.state.kind, "terminating");
  assert.deepEqual(
    plan.actions.map(({ key }) => key),
    ["kill/main-id/0"],
  );
});

test("a sandbox that broke while it was made is stopped before the pod counts as ended", () => {
  const broken = { id: "s0", state: "NOTREADY" as const, createdAtMs: 0, attempt: 0, ips: [], labels: {} };
  const runtime: RuntimePod = { uid: "u", name: "web", namespace: "default", sandboxes: [broken], containers: [] };
  const state = { kind: "terminating", sinceMs: 4_000, graceSeconds: 30 } as const;
  assert.deepEqual(actionsOf(viewOf([], { runtime, state })), ["stopSandbox"]);
  assert.deepEqual(actionsOf(viewOf([], { runtime, state, stopped: new Set(["s0"]) })), ["tearDown"]);
});

test("sidecars share the grace that the main containers left over", () => {
  const state = { kind: "terminating", sinceMs: 0, graceSeconds: 30 } as const;
  const late = step(viewOf([life("a", "RUNNING")], { state, nowMs: 20_000 })).actions[0];
  assert.equal(late?.kind === "killContainer" && late.graceSeconds, 10);
});

test("a pod whose sandbox died gets a new one after its containers were killed, a Never pod does not", () => {
  const view = viewOf([life("main", "RUNNING")]);
  const dead = { ...view.runtime, sandboxes: [{ id: "s0", state: "NOTREADY" as const, createdAtMs: 1, attempt: 0, ips: [], labels: {} }] };
  assert.deepEqual(actionsOf({ ...view, runtime: dead }), ["killContainer main"]);
  const exited = { ...dead, containers: [life("main", "EXITED", { exitCode: 137 })] };
  assert.deepEqual(step({ ...view, runtime: exited }).actions, [{ kind: "runSandbox", key: "sandbox", attempt: 1, isReplacement: true }]);
  const never: PodObject = { ...view.pod, spec: { ...view.pod.spec, containers: [{ name: "main", image }], restartPolicy: "Never" } };
  assert.equal(step({ ...view, pod: never, runtime: exited }).state.kind, "terminating");
});

test("a container whose image was changed is killed for its new definition", () => {
  const annotations = { "io.kubernetes.container.hash": "older" };
  const view = viewOf([life("a", "RUNNING"), life("b", "RUNNING"), life("main", "RUNNING", { annotations })]);
  const action = step(view).actions[0];
  assert.equal(action?.kind === "killContainer" && action.message, "Container main definition changed, will be restarted");
});

test("a deleted pod's shorter grace is obeyed while it is ending", () => {
  const state = { kind: "terminating", sinceMs: 0, graceSeconds: 30 } as const;
  const view = viewOf([life("main", "RUNNING")], { state, busy: new Set(["kill/main-id/30"]) });
  const hurried: PodObject = {
    ...view.pod,
    metadata: { ...view.pod.metadata, deletionTimestamp: "2026-01-01T00:00:00Z", deletionGracePeriodSeconds: 1 },
  };
  const action = step({ ...view, pod: hurried }).actions[0];
  assert.equal(action?.key, "kill/main-id/1");
});

test("the oldest of three lives of a container is removed", () => {
  const lives = [2, 1, 0].map((attempt) => life("main", attempt === 2 ? "RUNNING" : "EXITED", { id: `m${attempt}`, attempt }));
  const view = viewOf([life("a", "RUNNING"), life("b", "RUNNING"), ...lives]);
  assert.deepEqual(step(view).actions, [{ kind: "removeContainer", key: "remove/m0", id: "m0", logPath: "" }]);
});

test("restart back-off doubles to five minutes and starts anew after ten minutes of running", () => {
  let backoff = nextBackoff(undefined, 0, 0);
  const delays = [backoff.delayMs];
  for (let i = 0; i < 6; i++) delays.push((backoff = nextBackoff(backoff, 0, 0)).delayMs);
  assert.deepEqual(delays, [10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000]);
  assert.equal(restartAt(backoff, 1_000, 2_000), 301_000);
  assert.equal(restartAt(backoff, 600_001, 600_002), undefined);
  assert.equal(nextBackoff(backoff, 600_001, 600_002).delayMs, 10_000);
});

test("a status patch holds what changed, replaces addresses and leaves others' conditions alone", () => {
  const condition = (type: string, status: string) => ({ type, status, lastTransitionTime: "2026-01-01T00:00:00Z" });
  const pod: PodObject = {
    metadata: { uid: "u" },
    status: {
      phase: "Pending",
      hostIP: "192.0.2.1",
      message: "old",
      conditions: [condition("PodScheduled", "True"), condition("Gate", "True")],
    },
  };
  const desired = {
    phase: "Running",
    hostIP: "192.0.2.1",
    podIPs: [{ ip: "10.244.0.2" }],
    conditions: [condition("PodScheduled", "True"), condition("Ready", "True"), condition("Gate", "False")],
  };
  assert.deepEqual(statusPatch(pod, desired), {
    metadata: { uid: "u" },
    status: {
      phase: "Running",
      message: null,
      podIPs: [{ ip: "10.244.0.2" }, { $patch: "replace" }],
      conditions: [condition("Ready", "True")],
    },
  });
  assert.equal(statusPatch({ ...pod, status: desired }, desired), undefined);
});

test("a clock that is set back keeps nothing waiting", () => {
  const hourMs = 3_600_000;
  const ended = life("main", "EXITED", { finishedAtMs: hourMs });
  const backoffs = new Map([["main", { delayMs: 10_000, setAtMs: hourMs }]]);
  const pod: PodObject = { metadata: { name: "web", uid: "u" }, spec: { containers: [{ name: "main", image }] } };
  assert.deepEqual(actionsOf(viewOf([ended], { pod, backoffs })), ["startContainer main"]);
  const failures = new Map([["main", { reason: "ErrImagePull", message: "", failedAtMs: hourMs, retryAtMs: hourMs + 10_000 }]]);
  assert.deepEqual(actionsOf(viewOf([], { pod, failures })), ["startContainer main"]);
  const state = { kind: "terminating", sinceMs: hourMs, graceSeconds: 30 } as const;
  const [action] = step(viewOf([life("a", "RUNNING")], { state })).actions;
  assert.equal(action?.kind === "killContainer" ? action.graceSeconds : undefined, 30);
});
