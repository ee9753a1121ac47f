// Keeps the node's object: registers it, reports its status when that changes or has not been told for long.
import { isDeepStrictEqual } from "node:util";
import { resources } from "../../api/index.ts";
import type { Node, NodeStatus, ObjectReference } from "../../api/types/core/v1.ts";
import type { Clock, Logger } from "../../base/index.ts";
import type { Client } from "../../client/index.ts";
import { type DeepReadonly, isAlreadyExists, isNotFound } from "../../machinery/index.ts";
import type { EventSink } from "../node-context.ts";
import type { Runtime, RuntimeStatus } from "../runtime/runtime.ts";
import { type NodeFacts, type NodeHealth, newNode, nodeAnnotations, nodeLabels, nodeStatus } from "./node-facts.ts";

export interface NodeRegistrarOptions {
  readonly client: Client;
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: EventSink;
  readonly facts: NodeFacts;
  /** One for each IP family; none when the node gets them from a controller. */
  readonly podCidrs: readonly string[];
  readonly pressures: () => NodeHealth["pressures"];
  /** Whether the machine is about to be shut down. */
  readonly isShuttingDown: () => boolean;
}

/** How often the status is looked at, and how often it is told even when nothing has changed. */
const EVALUATE_MS = 10_000;
const REPORT_MS = 300_000;
/** A node that is not ready is looked at often, so that it is ready as soon as it can be. */
const UNREADY_MS = 250;

const STRATEGIC = "application/strategic-merge-patch+json";

export class NodeRegistrar {
  readonly #options: NodeRegistrarOptions;
  #node: DeepReadonly<Node> | undefined;
  #reportedAtMs = Number.NEGATIVE_INFINITY;
  #isReady = false;
  #runtimeStatus: RuntimeStatus | undefined;
  #wake = Promise.withResolvers<void>();

  constructor(options: NodeRegistrarOptions) {
    this.#options = options;
  }

  get node(): DeepReadonly<Node> | undefined {
    return this.#node;
  }

  /** What the runtime last said of itself. */
  get runtimeStatus(): RuntimeStatus | undefined {
    return this.#runtimeStatus;
  }

  /** What events about the node refer to; upstream's uid is the node's name. */
  get reference(): ObjectReference {
    const name = this.#options.facts.nodeName;
    return { kind: "Node", name, uid: name };
  }

  /** The status may have changed: look now. */
  wake(): void {
    this.#wake.resolve();
  }

  /** The node as the server has it now: others change it too, such as the controller that calls a silent node unknown. */
  see(node: DeepReadonly<Node>): void {
    const known = this.#node;
    if (known === undefined || Number(node.metadata.resourceVersion) <= Number(known.metadata.resourceVersion)) return;
    this.#node = node;
    if (!isDeepStrictEqual(conditionStates(known), conditionStates(node))) this.wake();
  }

  /** Until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    while (!signal.aborted) {
      try {
        await this.sync(signal);
      } catch (error) {
        if (signal.aborted) return;
        logger.warn("cannot report the node's status", { error });
      }
      const pause = new AbortController();
      const pauseSignal = AbortSignal.any([signal, pause.signal]);
      await Promise.race([clock.sleep(this.#isReady ? EVALUATE_MS : UNREADY_MS, pauseSignal).catch(() => {}), this.#wake.promise]);
      pause.abort();
      this.#wake = Promise.withResolvers<void>();
    }
  }

  /** Registers the node when that is not done, and reports its status when it is due. */
  async sync(signal: AbortSignal): Promise<void> {
    const { clock, facts } = this.#options;
    const health = await this.#health(signal);
    const images = await this.#options.runtime.listImages(signal).catch(() => []);
    const nowMs = clock.now();
    const desired = (known: DeepReadonly<NodeStatus>) => nodeStatus(facts, health, { nowMs, known, images });
    if (this.#node === undefined) await this.#register(desired({}), signal);
    const node = this.#node;
    if (node === undefined) return;
    const status = desired(node.status ?? {});
    const isDue = clock.monotonic() - this.#reportedAtMs >= REPORT_MS;
    if (isDue || !isDeepStrictEqual(withoutHeartbeats(status), withoutHeartbeats(node.status ?? {}))) await this.#report(status, signal);
    this.#announce(health);
  }

  async #health(signal: AbortSignal): Promise<NodeHealth> {
    const { runtime, pressures, isShuttingDown } = this.#options;
    try {
      const [status, version] = await Promise.all([runtime.status(signal), runtime.version(signal)]);
      this.#runtimeStatus = status;
      const messages = [
        ...(status.runtimeReady ? [] : ["container runtime is not ready"]),
        ...(status.networkReady ? [] : [`container runtime network not ready: ${status.message}`]),
        ...(isShuttingDown() ? ["node is shutting down"] : []),
      ];
      const isReady = messages.length === 0;
      return {
        isReady,
        message: messages.join(", "),
        runtimeVersion: `${version.name}://${version.version}`,
        runtime: status,
        pressures: pressures(),
      };
    } catch (error) {
      signal.throwIfAborted();
      const text = error instanceof Error ? error.message : String(error);
      const runtimeVersion = this.#node?.status?.nodeInfo?.containerRuntimeVersion ?? "unknown://unknown";
      const message = `[container runtime is down, ${text}]`;
      return { isReady: false, message, runtimeVersion, runtime: this.#runtimeStatus, pressures: pressures() };
    }
  }

  async #register(status: NodeStatus, signal: AbortSignal): Promise<void> {
    const { client, facts, podCidrs, events, clock } = this.#options;
    try {
      this.#node = await client.create(resources.nodes, newNode(facts, status, podCidrs), { signal });
      this.#reportedAtMs = clock.monotonic();
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      const known = await client.get(resources.nodes, facts.nodeName, { signal });
      this.#node = await this.#adopt(known, signal);
      const before = known.status?.nodeInfo?.bootID ?? "";
      const { bootId } = facts.machine;
      if (before !== "" && before !== bootId) {
        const message = `Node ${facts.nodeName} has been rebooted, boot id: ${bootId}`;
        events.event(this.reference, "Warning", "Rebooted", message);
      }
    }
    events.event(this.reference, "Normal", "Starting", "Starting kubelet.");
  }

  /** Brings the default labels and annotations of a node that was registered before up to date, and leaves all else. */
  async #adopt(node: DeepReadonly<Node>, signal: AbortSignal): Promise<DeepReadonly<Node>> {
    const { facts } = this.#options;
    const labels = missingFrom(node.metadata.labels, nodeLabels(facts));
    const annotations = missingFrom(node.metadata.annotations, nodeAnnotations(facts));
    if (Object.keys(labels).length + Object.keys(annotations).length === 0) return node;
    const patch = { metadata: { labels, annotations } };
    return this.#options.client.patch(resources.nodes, this.#options.facts.nodeName, patch, { type: STRATEGIC, signal });
  }

  async #report(status: NodeStatus, signal: AbortSignal): Promise<void> {
    const { client, facts, clock } = this.#options;
    // Lists that would be merged by key are meant as a whole.
    const addresses = [...(status.addresses ?? []), { $patch: "replace" }];
    try {
      const patch = { status: { ...status, addresses } };
      this.#node = await client.patch(resources.nodes, facts.nodeName, patch, { subresource: "status", type: STRATEGIC, signal });
      this.#reportedAtMs = clock.monotonic();
    } catch (error) {
      // Someone deleted the node: it registers anew.
      if (isNotFound(error)) this.#node = undefined;
      throw error;
    }
  }

  #announce(health: NodeHealth): void {
    if (health.isReady === this.#isReady) return;
    this.#isReady = health.isReady;
    const reason = health.isReady ? "NodeReady" : "NodeNotReady";
    this.#options.events.event(this.reference, "Normal", reason, `Node ${this.#options.facts.nodeName} status is now: ${reason}`);
  }
}

function conditionStates(node: DeepReadonly<Node>) {
  return (node.status?.conditions ?? []).map(({ type, status }) => `${type}=${status}`).sort();
}

function withoutHeartbeats(status: DeepReadonly<NodeStatus>) {
  const { addresses, allocatable, capacity, conditions = [], daemonEndpoints, features, images = [], nodeInfo, runtimeHandlers } = status;
  const stripped = conditions.map(({ type, status: value, reason, message }) => ({ type, value, reason, message }));
  stripped.sort((a, b) => (a.type < b.type ? -1 : 1));
  const { swap: _swap, ...info } = { swap: undefined, ...nodeInfo };
  return structuredClone({ addresses, allocatable, capacity, stripped, daemonEndpoints, features, images, info, runtimeHandlers });
}

/** The entries of `wanted` that `known` has not, or otherwise. */
function missingFrom(known: Readonly<Record<string, string>> = {}, wanted: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(wanted).filter(([key, value]) => known[key] !== value));
}
