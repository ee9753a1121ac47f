// How fast nodes that do not answer may be emptied: a zone at a time, slower when much of it is down, not at all when
// everything is, because then it is more likely this controller that is cut off.
import { type NodeState, readyStatus } from "./plan.ts";

/** Upstream's --node-eviction-rate, --secondary-node-eviction-rate, --large-cluster-size-threshold, --unhealthy-zone-threshold. */
const NODE_INTERVAL_MS = 10_000;
const SECONDARY_NODE_INTERVAL_MS = 100_000;
const LARGE_ZONE_NODES = 50;
const UNHEALTHY_SHARE = 0.55;

interface ZoneCount {
  ready: number;
  notReady: number;
}

export interface Disruption {
  /** Every zone is down: nobody is evicted, and what was begun is taken back. */
  readonly isTotal: boolean;
  /** How long after one node the next of that zone may be emptied; Infinity: never. */
  intervalMs(zone: string): number;
}

export function zoneOf({ metadata }: NodeState): string {
  return `${metadata.labels?.["topology.kubernetes.io/region"] ?? ""}:${metadata.labels?.["topology.kubernetes.io/zone"] ?? ""}`;
}

/** @see kubernetes `pkg/controller/nodelifecycle/node_lifecycle_controller.go`, ComputeZoneState */
export function disruptionOf(nodes: readonly NodeState[]): Disruption {
  const zones = new Map<string, ZoneCount>();
  for (const node of nodes) {
    const zone = zoneOf(node);
    let count = zones.get(zone);
    if (count === undefined) zones.set(zone, (count = { ready: 0, notReady: 0 }));
    if (readyStatus(node) === "True") count.ready++;
    else count.notReady++;
  }
  return {
    isTotal: zones.size > 0 && [...zones.values()].every(({ ready }) => ready === 0),
    intervalMs: (zone) => {
      const { ready, notReady } = zones.get(zone) ?? { ready: 0, notReady: 0 };
      const isPartial = ready > 0 && notReady > 2 && notReady / (ready + notReady) >= UNHEALTHY_SHARE;
      if (!isPartial) return NODE_INTERVAL_MS;
      return ready + notReady > LARGE_ZONE_NODES ? SECONDARY_NODE_INTERVAL_MS : Number.POSITIVE_INFINITY;
    },
  };
}
