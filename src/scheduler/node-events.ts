// What a node's update changes for the pods that wait.
import type { Node } from "../api/types/core/v1.ts";
import { type DeepReadonly, deepEqual } from "../machinery/index.ts";
import type { ClusterEvent } from "./framework.ts";

export function nodeEvents(old: DeepReadonly<Node> | undefined, node: DeepReadonly<Node>): ClusterEvent[] {
  if (old === undefined) return ["NodeAdded"];
  const events: ClusterEvent[] = [];
  if (!deepEqual(old.status?.allocatable, node.status?.allocatable)) events.push("NodeAllocatableChanged");
  if (!deepEqual(old.metadata.labels, node.metadata.labels)) events.push("NodeLabelsChanged");
  if (!deepEqual(old.spec?.taints, node.spec?.taints) || old.spec?.unschedulable !== node.spec?.unschedulable)
    events.push("NodeTaintsChanged");
  return events;
}
