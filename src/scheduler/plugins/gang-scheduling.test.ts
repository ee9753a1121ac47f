import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { PodGroup } from "../../api/types/scheduling/v1alpha2.ts";
import { SeededRandom, silentLogger, VirtualClock } from "../../base/index.ts";
import type { Client } from "../../client/index.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import { ClusterState } from "../cluster/cluster-state.ts";
import { podInfo } from "../cluster/pod-info.ts";
import type { ClusterEvent } from "../framework/events.ts";
import { Nominator } from "../placement/nominator.ts";
import { fixedInformers, testPod } from "../scheduler.fixture.ts";
import { gangScheduling } from "./gang-scheduling.ts";

const member = (name: string, podGroupName: string) => testPod({ name, spec: { schedulingGroup: { podGroupName } } });

function group(name: string, schedulingPolicy: PodGroup["spec"]["schedulingPolicy"]): DeepReadonly<PodGroup> {
  return {
    apiVersion: "scheduling.k8s.io/v1alpha2",
    kind: "PodGroup",
    metadata: { name, namespace: "default" },
    spec: { schedulingPolicy },
  };
}

/** Whether a pod of the group `waiting` is tried again when one of the group `added` comes. */
function wakes(waiting: string, added: string, podgroups: readonly DeepReadonly<PodGroup>[]): boolean | undefined {
  const plugin = gangScheduling({
    informers: fixedInformers({ podgroups }),
    cluster: new ClusterState(),
    nominator: new Nominator(),
    client: {} as Client,
    recorder: { event: () => {} },
    clock: new VirtualClock(),
    random: new SeededRandom(1),
    logger: silentLogger,
  });
  const event: ClusterEvent = "UnscheduledPodAdd";
  const rule = plugin.wakesOn?.find(({ on }) => on === event);
  return rule?.hint?.(podInfo(member("a", waiting)), { new: member("b", added) });
}

describe("a pod that waits for its group", () => {
  const basic = group("basic", { basic: {} });
  const gang = group("gang", { gang: { minCount: 2 } });

  it("is tried again when another comes and the group may be scheduled", () => {
    assert.equal(wakes("basic", "basic", [basic]), true);
  });

  it("is left alone while the group is not there or too few have come", () => {
    assert.equal(wakes("basic", "basic", []), false);
    assert.equal(wakes("gang", "gang", [gang]), false);
  });

  it("is left alone when one of another group comes", () => {
    assert.equal(wakes("gang", "basic", [basic, gang]), false);
  });
});
