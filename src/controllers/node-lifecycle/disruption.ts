// How fast nodes that do not answer may be emptied: a zone at a time, slower when much of it is down, not at all when
// everything is, because then it is more likely this controller that is cut off.
import { type NodeState, readyStatus } from "./plan.ts";

/** Upstream's --node-eviction-rate, --secondary-node-eviction-rate, --large-cluster-size-threshold, --unhealthy-zone-threshold. */
const NODE_INTERVAL_MS = 10_000;
const SECONDARY_NODE_INTERVAL_MS = 100_000;
const LARGE_ZONE_NODES = 50;
const UNHEALTHY_SHARE = 0.55;

interface ZoneCount {
  readonly ready: number;
  readonly notReady: number;
}

export function zoneOf({ metadata }: NodeState): string {
  return `${metadata.labels?.["topology.kubernetes.io/region"] ?? ""}:${metadata.labels?.["topology.kubernetes.io/zone"] ?? ""}`;
}

/**
 * How many nodes of each zone are ready.
 * @see kubernetes `pkg/controller/nodelifecycle/node_lifecycle_controller.go`, ComputeZoneState
 */
export class Disruption {
  /** What each node counts as, by name. */
  readonly #nodes = new Map<string, { readonly zone: string; readonly isReady: boolean }>();
  /** Zones without nodes are in it no more. */
  readonly #zones = new Map<string, ZoneCount>();

  /** Counts a node, in place of what it counted as before. */
  set(node: NodeState): void {
    const { name = "" } = node.metadata;
    this.delete(name);
    const counted = { zone: zoneOf(node), isReady: readyStatus(node) === "True" };
    this.#nodes.set(name, counted);
    this.#count(counted, 1);
  }

  delete(name: string): void {
    const counted = this.#nodes.get(name);
    if (counted !== undefined) this.#count(counted, -1);
    this.#nodes.delete(name);
  }

  /** Every zone is down: nobody is evicted, and what was begun is taken back. */
  get isTotal(): boolean {
    return this.#zones.size > 0 && [...this.#zones.values()].every(({ ready }) => ready === 0);
  }

  /** How long after one node the next of that zone may be emptied; Infinity: never. */
  intervalMs(zone: string): number {
    const { ready, notReady } = this.#zones.get(zone) ?? { ready: 0, notReady: 0 };
    const isPartial = ready > 0 && notReady > 2 && notReady / (ready + notReady) >= UNHEALTHY_SHARE;
    if (!isPartial) return NODE_INTERVAL_MS;
    return ready + notReady > LARGE_ZONE_NODES ? SECONDARY_NODE_INTERVAL_MS : Number.POSITIVE_INFINITY;
  }

  /** The same text as long as the answers above are the same. */
  get state(): string {
    return `${this.isTotal} ${[...this.#zones.keys()].map((zone) => `${zone}=${this.intervalMs(zone)}`).join()}`;
  }

  #count({ zone, isReady }: { readonly zone: string; readonly isReady: boolean }, delta: 1 | -1): void {
    const { ready, notReady } = this.#zones.get(zone) ?? { ready: 0, notReady: 0 };
    const counts = { ready: ready + (isReady ? delta : 0), notReady: notReady + (isReady ? 0 : delta) };
    if (counts.ready + counts.notReady === 0) this.#zones.delete(zone);
    else this.#zones.set(zone, counts);
  }
}
