// Plays the pods of all hollow nodes: one informer, one queue.
import { resources } from "../../api/index.ts";
import type { Pod } from "../../api/types/core/v1.ts";
import { type Informer, type ReconcileResult, runWorkers, WorkQueue } from "../../client/index.ts";
import { isConflict, isNotFound, objectKey, splitKey } from "../../machinery/index.ts";
import type { PodObject } from "../pod/pod-object.ts";
import { AddressPool } from "../runtime/simulated/address-pool.ts";
import { type StatusPatch, statusPatch } from "../status/status-patch.ts";
import type { HollowContext } from "./hollow-context.ts";
import { playPod } from "./hollow-pod.ts";

const BY_NODE = "node";
const CONCURRENCY = 32;

export class HollowPods {
  readonly queue: WorkQueue<string>;
  readonly #context: HollowContext;
  readonly #pods: Informer<Pod>;
  /** By node; an address is taken as long as its pod is there. */
  readonly #pools = new Map<string, AddressPool>();
  /** By pod uid. */
  readonly #addresses = new Map<string, string>();

  constructor(context: HollowContext) {
    this.#context = context;
    this.queue = new WorkQueue({ clock: context.clock });
    this.#pods = context.informers.informer(resources.pods, { fieldSelector: "spec.nodeName!=" });
    this.#pods.addIndex(BY_NODE, ({ spec }) => (spec?.nodeName ? [spec.nodeName] : []));
    const changed = (pod: PodObject) => {
      if (context.nodes.has(pod.spec?.nodeName ?? "")) this.queue.add(objectKey(pod));
    };
    this.#pods.onChange({ added: changed, updated: (_, pod) => changed(pod), deleted: (pod) => this.#release(pod) });
  }

  run(signal: AbortSignal): Promise<void> {
    const reconcile = (key: string, own: AbortSignal) => this.#reconcile(key, own);
    return runWorkers({
      queue: this.queue,
      concurrency: CONCURRENCY,
      reconcile,
      logger: this.#context.logger,
      signal,
      name: "hollow-pods",
    });
  }

  ofNode(nodeName: string): readonly PodObject[] {
    return this.#pods.lister.byIndex(BY_NODE, nodeName);
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult | undefined> {
    const { namespace, name } = splitKey(key);
    const pod = this.#pods.lister.get(namespace, name);
    if (pod === undefined) return undefined;
    const { clock, behaviours, nodeIp } = this.#context;
    const nowMs = clock.now();
    const step = playPod({ pod, behaviours, nowMs, nodeIp, podIp: pod.spec?.hostNetwork === true ? nodeIp : this.#addressOf(pod) });
    try {
      if (step.type === "remove") await this.#remove(pod, signal);
      if (step.type === "status") await this.#tell(pod, statusPatch(pod, step.status), signal);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
    const wakeAtMs = step.type === "remove" ? undefined : step.wakeAtMs;
    return wakeAtMs === undefined ? undefined : { requeueAfterMs: Math.max(1, wakeAtMs - nowMs) };
  }

  async #tell(pod: PodObject, patch: StatusPatch | undefined, signal: AbortSignal): Promise<void> {
    if (patch === undefined) return;
    const { namespace, name = "" } = pod.metadata;
    const type = "application/strategic-merge-patch+json";
    await this.#context.client.patch(resources.pods, name, patch, { namespace, subresource: "status", type, signal });
  }

  async #remove({ metadata: { namespace, name = "", uid = "" } }: PodObject, signal: AbortSignal): Promise<void> {
    const options = { gracePeriodSeconds: 0, preconditions: { uid } };
    try {
      await this.#context.client.delete(resources.pods, name, { namespace, options, signal });
    } catch (error) {
      // Another pod has the name by now.
      if (!isConflict(error)) throw error;
    }
  }

  #addressOf(pod: PodObject): string {
    const { uid = "" } = pod.metadata;
    const known = this.#addresses.get(uid);
    if (known !== undefined) return known;
    const pool = this.#poolOf(pod.spec?.nodeName ?? "");
    const told = pod.status?.podIP;
    const address = told !== undefined && told !== "" ? pool.claim(told) : (pool.take() ?? "");
    this.#addresses.set(uid, address);
    return address;
  }

  #poolOf(nodeName: string): AddressPool {
    const known = this.#pools.get(nodeName);
    if (known !== undefined) return known;
    const pool = new AddressPool(this.#context.nodes.get(nodeName)?.podCidr ?? "10.128.0.0/24");
    // What pods have from an earlier run is not given again.
    for (const { status } of this.ofNode(nodeName)) if (status?.podIP) pool.claim(status.podIP);
    this.#pools.set(nodeName, pool);
    return pool;
  }

  #release(pod: PodObject): void {
    const { uid = "" } = pod.metadata;
    const address = this.#addresses.get(uid);
    if (address === undefined) return;
    this.#addresses.delete(uid);
    this.#pools.get(pod.spec?.nodeName ?? "")?.release(address);
  }
}
