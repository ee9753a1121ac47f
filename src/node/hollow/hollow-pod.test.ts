// Golden tests: each case of testdata/behaviour.json is a pod and what its node does with it as time passes.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import type { ContainerStatus, Pod, PodSpec } from "../../api/types/core/v1.ts";
import { formatTime } from "../../base/index.ts";
import type { SimulatedBehaviour } from "../runtime/simulated/behaviour.ts";
import { type HollowStep, playPod } from "./hollow-pod.ts";

interface Case {
  readonly name: string;
  readonly behaviour?: SimulatedBehaviour;
  readonly annotations?: Record<string, string>;
  readonly spec?: Partial<PodSpec>;
  /** Second at which the pod's deletion is asked for, and its grace. */
  readonly deletion?: { readonly at: number; readonly grace: number };
  /** What is seen at each second of interest. */
  readonly timeline: Readonly<Record<string, string>>;
}

const cases = JSON.parse(readFileSync(new URL("./testdata/behaviour.json", import.meta.url), "utf8")) as readonly Case[];

/** Plays to `endSeconds`, waking only when the steps ask for it; answers what is seen at each second of `timeline`. */
function play({ behaviour = {}, annotations, spec, deletion, timeline }: Case): Record<string, string> {
  let pod: Pod = {
    metadata: { name: "p", namespace: "default", uid: "u", ...(annotations === undefined ? {} : { annotations }) },
    spec: { containers: [{ name: "c", image: "web" }], ...spec },
  };
  const seen: Record<string, string> = {};
  const moments = new Set([0, ...Object.keys(timeline).map(Number), ...(deletion === undefined ? [] : [deletion.at])]);
  let wakeAt: number | undefined = 0;
  let isGone = false;
  while (moments.size > 0 && !isGone) {
    const at = Math.min(...moments, wakeAt ?? Number.POSITIVE_INFINITY);
    const isDue = wakeAt !== undefined && wakeAt <= at;
    if (deletion?.at === at) {
      const deletionTimestamp = formatTime((at + deletion.grace) * 1_000);
      pod = { ...pod, metadata: { ...pod.metadata, deletionTimestamp, deletionGracePeriodSeconds: deletion.grace } };
    }
    if (isDue || deletion?.at === at) {
      const step: HollowStep = playPod({ pod, behaviours: () => behaviour, nowMs: at * 1_000, nodeIp: "127.0.0.1", podIp: "10.128.1.2" });
      isGone = step.type === "remove";
      if (step.type === "status") pod = { ...pod, status: step.status };
      wakeAt = step.type === "remove" || step.wakeAtMs === undefined ? undefined : step.wakeAtMs / 1_000;
    }
    if ((wakeAt ?? Number.POSITIVE_INFINITY) > at) {
      if (moments.delete(at) && String(at) in timeline) seen[at] = isGone ? "gone" : summary(pod);
    }
  }
  return seen;
}

/** Such as `Running ready=True c:running/0`. */
function summary({ status }: Pod): string {
  const ready = status?.conditions?.find(({ type }) => type === "Ready")?.status;
  const containers = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].map(containerSummary);
  return `${status?.phase} ready=${ready} ${containers.join(" ")}`;
}

function containerSummary({ name, state, restartCount }: ContainerStatus): string {
  if (state?.running !== undefined) return `${name}:running/${restartCount}`;
  if (state?.terminated !== undefined) return `${name}:exit ${state.terminated.exitCode}/${restartCount}`;
  return `${name}:${state?.waiting?.reason}/${restartCount}`;
}

describe("a hollow node plays its pods", () => {
  for (const each of cases) it(each.name, () => assert.deepEqual(play(each), each.timeline));

  it("tells addresses, times and quality of service as a node does", () => {
    const pod: Pod = { metadata: { name: "p", uid: "u" }, spec: { containers: [{ name: "c", image: "web" }] } };
    const step = playPod({ pod, behaviours: () => ({}), nowMs: 0, nodeIp: "127.0.0.1", podIp: "10.128.1.2" });
    assert.ok(step.type === "status");
    const { conditions, ...status } = step.status;
    assert.deepEqual(status, {
      phase: "Running",
      hostIP: "127.0.0.1",
      hostIPs: [{ ip: "127.0.0.1" }],
      podIP: "10.128.1.2",
      podIPs: [{ ip: "10.128.1.2" }],
      startTime: "1970-01-01T00:00:00Z",
      qosClass: "BestEffort",
      containerStatuses: [
        {
          name: "c",
          image: "web",
          imageID: "hollow://web",
          containerID: "hollow://c",
          restartCount: 0,
          ready: true,
          started: true,
          lastState: {},
          state: { running: { startedAt: "1970-01-01T00:00:00Z" } },
        },
      ],
    });
    assert.deepEqual(
      conditions?.map(({ type, status }) => `${type}=${status}`),
      ["PodReadyToStartContainers=True", "Initialized=True", "Ready=True", "ContainersReady=True", "PodScheduled=True"],
    );
  });
});
