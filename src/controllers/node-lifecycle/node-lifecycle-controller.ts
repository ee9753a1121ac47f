// Notices nodes that fall silent, and keeps the taints that tell of a node's state.
import { getCondition, podReady, resources } from "../../api/index.ts";
import type { Lease } from "../../api/types/coordination/v1.ts";
import type { Node, Pod } from "../../api/types/core/v1.ts";
import { timestamp } from "../../base/index.ts";
import { type Informer, type ReconcileResult, WorkQueue } from "../../client/index.ts";
import { type DeepReadonly, deepEqual, isNotFound } from "../../machinery/index.ts";
import { type Controller, type ControllerContext, keyedController } from "../controller.ts";
import { Disruption, zoneOf } from "./disruption.ts";
import {
  hasNoExecuteTaint,
  MONITOR_GRACE_MS,
  type NodeState,
  noExecuteTaintKey,
  readyStatus,
  STARTUP_GRACE_MS,
  silentConditions,
  wantedTaints,
} from "./plan.ts";

const LEASE_NAMESPACE = "kube-node-lease";
const BY_NODE = "node";

/** @see kubernetes `pkg/controller/nodelifecycle` */
export function nodeLifecycleController(context: ControllerContext): Controller {
  const reconciler = new NodeLifecycleReconciler(context);
  return keyedController({
    name: "node-lifecycle-controller",
    context,
    queue: reconciler.queue,
    reconcile: (name, signal) => reconciler.reconcile(name, signal),
  });
}

class NodeLifecycleReconciler {
  readonly queue: WorkQueue<string>;
  readonly #context: ControllerContext;
  readonly #nodes: Informer<Node>;
  readonly #pods: Informer<Pod>;
  /** When, by this clock, each node last gave a sign of life. */
  readonly #heardMs = new Map<string, number>();
  /** When a node of each zone was last given its NoExecute taint. */
  readonly #evictedMs = new Map<string, number>();
  /** Nodes whose pods are still to be marked as not ready. */
  readonly #podsToMark = new Set<string>();
  /** Nodes that are not ready: the only ones whom the balance of others concerns. */
  readonly #notReady = new Set<string>();
  readonly #disruption = new Disruption();

  constructor(context: ControllerContext) {
    const { informers, clock } = context;
    this.#context = context;
    this.queue = new WorkQueue({ clock });
    this.#nodes = informers.informer(resources.nodes);
    this.#pods = informers.informer(resources.pods);
    this.#pods.addIndex(BY_NODE, ({ spec }) => (spec?.nodeName ? [spec.nodeName] : []));
    const leases = informers.informer(resources.leases, { namespace: LEASE_NAMESPACE });
    const renewed = ({ metadata }: DeepReadonly<Lease>) => this.#heard(metadata.name);
    leases.onChange({
      added: renewed,
      updated: (old, lease) => {
        if (old.spec?.renewTime !== lease.spec?.renewTime) renewed(lease);
      },
    });
    this.#nodes.onChange({
      added: (node) => this.#nodeAdded(node),
      updated: (old, node) => this.#nodeUpdated(old, node),
      deleted: (node) => this.#nodeDeleted(node),
    });
  }

  async reconcile(name: string, signal: AbortSignal): Promise<ReconcileResult | undefined> {
    let node = this.#nodes.lister.get("", name);
    if (node === undefined) return undefined;
    const { clock } = this.#context;
    const graceMs = readyStatus(node) === undefined ? STARTUP_GRACE_MS : MONITOR_GRACE_MS;
    const dueMs = (this.#heardMs.get(name) ?? clock.monotonic()) + graceMs - clock.monotonic();
    if (dueMs <= 0) node = await this.#markSilent(node, signal);
    if (this.#podsToMark.has(name)) await this.#markPods(name, signal);
    const evictionMs = await this.#taint(node, signal);
    const nextMs = Math.min(dueMs > 0 ? dueMs : Number.POSITIVE_INFINITY, evictionMs);
    return Number.isFinite(nextMs) ? { requeueAfterMs: nextMs } : undefined;
  }

  async #markSilent(node: NodeState, signal: AbortSignal): Promise<NodeState> {
    const { client, clock, recorder } = this.#context;
    const conditions = silentConditions(node, timestamp(clock));
    if (conditions === undefined) return node;
    const status = { ...node.status, conditions };
    const { name = "", uid = "" } = node.metadata;
    const updated = await client.update(resources.nodes, { ...node, status }, { subresource: "status", signal });
    if (readyStatus(node) !== "True") return updated;
    this.#podsToMark.add(name);
    recorder.event(
      { kind: "Node", apiVersion: "v1", name, uid, namespace: "" },
      "Normal",
      "NodeNotReady",
      `Node ${name} status is now: NodeNotReady`,
    );
    return updated;
  }

  async #markPods(nodeName: string, signal: AbortSignal): Promise<void> {
    const { client, clock, recorder } = this.#context;
    const marks = this.#pods.lister.byIndex(BY_NODE, nodeName).map(async (pod) => {
      if (!podReady(pod)) return;
      const lastTransitionTime = timestamp(clock);
      const conditions = (pod.status?.conditions ?? []).map((condition) =>
        condition.type === "Ready" ? { ...condition, status: "False", lastTransitionTime } : condition,
      );
      const { namespace } = pod.metadata;
      try {
        await client.update(
          resources.pods,
          { ...pod, status: { ...pod.status, conditions } },
          { namespace, subresource: "status", signal },
        );
        recorder.event(pod, "Warning", "NodeNotReady", "Node is not ready");
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    });
    const failed = (await Promise.allSettled(marks)).find((result) => result.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    this.#podsToMark.delete(nodeName);
  }

  /** Answers when the node may get the taint that evicts its pods, if it has to wait for that. */
  async #taint(node: NodeState, signal: AbortSignal): Promise<number> {
    const { client, clock } = this.#context;
    const waitMs = this.#evictionWaitMs(node);
    const taints = wantedTaints(node, { evicts: waitMs <= 0, now: timestamp(clock) });
    if (taints === undefined) return waitMs > 0 ? waitMs : Number.POSITIVE_INFINITY;
    await client.update(resources.nodes, { ...node, spec: { ...node.spec, taints } }, { signal });
    const key = noExecuteTaintKey(node);
    if (key !== undefined && waitMs <= 0 && !hasNoExecuteTaint(node, key)) this.#evictedMs.set(zoneOf(node), clock.monotonic());
    return waitMs > 0 ? waitMs : Number.POSITIVE_INFINITY;
  }

  #evictionWaitMs(node: NodeState): number {
    const key = noExecuteTaintKey(node);
    if (key === undefined) return 0;
    if (this.#disruption.isTotal) return Number.POSITIVE_INFINITY;
    const lastMs = this.#evictedMs.get(zoneOf(node));
    if (hasNoExecuteTaint(node, key) || lastMs === undefined) return 0;
    return lastMs + this.#disruption.intervalMs(zoneOf(node)) - this.#context.clock.monotonic();
  }

  #heard(name = ""): void {
    this.#heardMs.set(name, this.#context.clock.monotonic());
    const node = this.#nodes.lister.get("", name);
    if (node !== undefined && readyStatus(node) !== "True") this.queue.add(name);
  }

  #nodeAdded(node: NodeState): void {
    const { name = "", uid = "" } = node.metadata;
    if (!this.#heardMs.has(name)) this.#heardMs.set(name, this.#context.clock.monotonic());
    this.#noteReadiness(node);
    const message = `Node ${name} event: Registered Node ${name} in Controller`;
    this.#context.recorder.event({ kind: "Node", apiVersion: "v1", name, uid, namespace: "" }, "Normal", "RegisteredNode", message);
    this.#count(() => this.#disruption.set(node));
    this.queue.add(name);
  }

  #nodeUpdated(old: NodeState, node: NodeState): void {
    const { name = "" } = node.metadata;
    const ready = getCondition(node.status?.conditions, "Ready");
    const oldReady = getCondition(old.status?.conditions, "Ready");
    if (ready?.lastHeartbeatTime !== oldReady?.lastHeartbeatTime) this.#heardMs.set(name, this.#context.clock.monotonic());
    this.#noteReadiness(node);
    if (ready?.status !== oldReady?.status || zoneOf(old) !== zoneOf(node)) this.#count(() => this.#disruption.set(node));
    const states = ({ status }: NodeState) => (status?.conditions ?? []).map((condition) => condition.type + condition.status);
    if (!deepEqual(old.spec, node.spec) || !deepEqual(states(old), states(node))) this.queue.add(name);
  }

  #nodeDeleted({ metadata: { name = "", uid = "" } }: NodeState): void {
    this.#heardMs.delete(name);
    this.#podsToMark.delete(name);
    this.#notReady.delete(name);
    const message = `Node ${name} event: Removing Node ${name} from Controller`;
    this.#context.recorder.event({ kind: "Node", apiVersion: "v1", name, uid, namespace: "" }, "Normal", "RemovingNode", message);
    this.#count(() => this.#disruption.delete(name));
  }

  /** How many nodes are up may allow or forbid the eviction from others. */
  #count(change: () => void): void {
    const before = this.#disruption.state;
    change();
    if (this.#disruption.state === before) return;
    for (const name of this.#notReady) this.queue.add(name);
  }

  #noteReadiness(node: NodeState): void {
    const { name = "" } = node.metadata;
    if (readyStatus(node) === "True") this.#notReady.delete(name);
    else this.#notReady.add(name);
  }
}
