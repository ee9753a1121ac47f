// Registers the hollow nodes and keeps them Ready: their objects, and the leases that say they live.
import { getCondition, resources } from "../../api/index.ts";
import type { Node } from "../../api/types/core/v1.ts";
import { type Informer, type ReconcileResult, runWorkers, WorkQueue } from "../../client/index.ts";
import { type DeepReadonly, isAlreadyExists } from "../../machinery/index.ts";
import { type NodeFacts, newNode, nodeStatus } from "../registration/node-facts.ts";
import { NodeLease, RENEW_MS } from "../registration/node-lease.ts";
import type { HollowContext, HollowNode } from "./hollow-context.ts";

/** By which hollow nodes are known. */
export const HOLLOW_LABEL = "k8ts.dev/hollow";
/** As kubelet: a status that nobody changed is told again this often. */
const REPORT_MS = 300_000;
/** A part of each period by which nodes differ, so that they do not come all at once. */
const JITTER = 0.1;
const CONCURRENCY = 16;
/** Renewals under way at once: a server that takes its time must not hold up the leases behind. */
const RENEWALS = 512;
/** Renewals due within so long go together: the server stores them in one go, and tells them in one. */
const GATHER_MS = 100;
const health = { isReady: true, message: "", runtimeVersion: "hollow://0.1.0", pressures: new Set<never>() };

/** When a node's status is due: at once when it is not Ready or says another port, else a period after it was last told. */
export function reportDueMs(node: DeepReadonly<Node>, kubeletPort: number, nowMs: number): number {
  if (node.status?.daemonEndpoints?.kubeletEndpoint?.Port !== kubeletPort) return 0;
  const ready = getCondition(node.status?.conditions, "Ready");
  if (ready?.status !== "True") return 0;
  const toldMs = Date.parse(ready.lastHeartbeatTime ?? "");
  return Number.isNaN(toldMs) ? 0 : Math.max(0, toldMs + REPORT_MS - nowMs);
}

/** How long a renewal waits that is due in `delayMs`: to the last moment before, at which others wait too. */
export function gatheredDelayMs(delayMs: number, nowMs: number): number {
  return Math.max(0, Math.floor((nowMs + delayMs) / GATHER_MS) * GATHER_MS - nowMs);
}

export class HollowRegistrations {
  readonly #context: HollowContext;
  readonly #nodes: Informer<Node>;
  readonly #objects: WorkQueue<string>;
  readonly #leases: WorkQueue<string>;
  readonly #leaseOf = new Map<string, NodeLease>();
  /** Nodes that someone removed: they come back when the process is started anew, as kubelets do. */
  readonly #deleted = new Set<string>();

  constructor(context: HollowContext) {
    const { informers, clock } = context;
    this.#context = context;
    this.#objects = new WorkQueue({ clock });
    this.#leases = new WorkQueue({ clock });
    this.#nodes = informers.informer(resources.nodes, { labelSelector: `${HOLLOW_LABEL}=true` });
    const changed = ({ metadata: { name = "" } }: DeepReadonly<Node>) => this.#objects.add(name);
    this.#nodes.onChange({
      added: changed,
      updated: (_, node) => changed(node),
      deleted: ({ metadata }) => this.#deleted.add(metadata.name ?? ""),
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger, nodes, random } = this.#context;
    for (const name of nodes.keys()) {
      this.#objects.add(name);
      this.#leases.addAfter(name, gatheredDelayMs(random.next() * RENEW_MS, clock.monotonic()));
    }
    const common = { logger, signal };
    const register = (name: string, own: AbortSignal) => this.#reconcile(name, own);
    const renew = (name: string, own: AbortSignal) => this.#renew(name, own);
    await Promise.all([
      runWorkers({ ...common, concurrency: CONCURRENCY, queue: this.#objects, reconcile: register, name: "hollow-nodes" }),
      runWorkers({ ...common, concurrency: RENEWALS, queue: this.#leases, reconcile: renew, name: "hollow-leases" }),
    ]);
  }

  async #reconcile(name: string, signal: AbortSignal): Promise<ReconcileResult | undefined> {
    const { client, clock, nodes, random } = this.#context;
    const wanted = nodes.get(name);
    const node = this.#nodes.lister.get("", name);
    // Left over from a run with more nodes.
    if (wanted === undefined && node !== undefined) await client.delete(resources.nodes, name, { signal });
    if (wanted === undefined || this.#deleted.has(name)) return undefined;
    const facts = this.#factsOf(wanted);
    const nowMs = clock.now();
    const statusFor = (known: NonNullable<DeepReadonly<Node>["status"]>) => nodeStatus(facts, health, { nowMs, known, images: [] });
    if (node === undefined) {
      await client
        .create(resources.nodes, newNode(facts, statusFor({}), wanted.podCidr === undefined ? [] : [wanted.podCidr]), { signal })
        .catch((error: unknown) => {
          if (!isAlreadyExists(error)) throw error;
        });
      return undefined;
    }
    const dueMs = reportDueMs(node, facts.kubeletPort, nowMs);
    if (dueMs > 0) return { requeueAfterMs: Math.ceil(dueMs * (1 + JITTER * random.next())) };
    await client.update(resources.nodes, { ...node, status: statusFor(node.status ?? {}) }, { subresource: "status", signal });
    return undefined;
  }

  async #renew(name: string, signal: AbortSignal): Promise<ReconcileResult | undefined> {
    const { client, clock, logger, random } = this.#context;
    if (this.#deleted.has(name)) return undefined;
    let lease = this.#leaseOf.get(name);
    if (lease === undefined) {
      lease = new NodeLease({ client, clock, logger, nodeName: name, node: () => this.#nodes.lister.get("", name) });
      this.#leaseOf.set(name, lease);
    }
    await lease.renew(signal);
    return { requeueAfterMs: gatheredDelayMs(RENEW_MS * (1 + JITTER * (random.next() - 0.5)), clock.monotonic()) };
  }

  #factsOf({ name }: HollowNode): NodeFacts {
    const { nodeIp, kubeletPort, machine, maxPods } = this.#context;
    const labels = { [HOLLOW_LABEL]: "true" };
    return {
      nodeName: name,
      nodeIps: [nodeIp],
      kubeletPort,
      machine: { ...machine, machineId: name, systemUuid: name },
      labels,
      taints: [],
      maxPods,
      reserved: {},
    };
  }
}
