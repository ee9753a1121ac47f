// Deletes what has lost its owners, orphans what shall stay, and holds owners that are deleted in the foreground.
import type { ResourceRef } from "../../api/index.ts";
import { LruMap, type ReconcileResult, runWorkers, WorkQueue } from "../../client/index.ts";
import { type DeepReadonly, type DeleteOptions, isNotFound, type KubeObject, type OwnerReference } from "../../machinery/index.ts";
import type { Controller, ControllerContext } from "../controller.ts";
import {
  FOREGROUND_FINALIZER,
  type GraphNode,
  groupOf,
  hasFinalizer,
  isDeletingDependents,
  isLeaving,
  ORPHAN_FINALIZER,
  OwnerGraph,
  ownersOf,
  type ResourceOf,
  refersTo,
} from "./owner-graph.ts";
import { blockingDependents, type ClassifiedOwners, planObject } from "./plan.ts";

export interface GarbageCollectorOptions {
  /** Every resource that can be listed, watched and deleted, each in one version; asked again every 30 s. */
  readonly resources: () => readonly ResourceRef<KubeObject>[];
}

const NAME = "garbage-collector-controller";
/** Upstream's --concurrent-gc-syncs. */
const CONCURRENCY = 20;
const RESYNC_MS = 30_000;
/** An owner that the server knows and the informer does not, yet. */
const UNSEEN_RECHECK_MS = 1000;
/** Upstream's size of the cache of absent owners. */
const ABSENT_OWNERS = 500;
/** Events come and go by themselves. */
const IGNORED = new Set(["events", "events.events.k8s.io"]);

export function garbageCollectorController(context: ControllerContext, options: GarbageCollectorOptions): Controller {
  const collector = new GarbageCollector(context, options);
  return { name: NAME, run: (signal) => collector.run(signal) };
}

class GarbageCollector {
  readonly #context: ControllerContext;
  readonly #options: GarbageCollectorOptions;
  readonly #graph: OwnerGraph;
  readonly #deletions: WorkQueue<string>;
  readonly #orphanings: WorkQueue<string>;
  /** By group and kind. */
  readonly #resources = new Map<string, ResourceOf>();
  /** `namespace/uid` of owners that the server does not have. A uid never comes back. */
  readonly #absent = new LruMap<string, true>(ABSENT_OWNERS);

  constructor(context: ControllerContext, options: GarbageCollectorOptions) {
    const { clock } = context;
    this.#context = context;
    this.#options = options;
    this.#deletions = new WorkQueue({ clock });
    this.#orphanings = new WorkQueue({ clock });
    this.#graph = new OwnerGraph({
      attemptToDelete: (uid) => this.#deletions.add(uid),
      attemptToOrphan: (uid) => this.#orphanings.add(uid),
      invalidOwnerNamespace: (dependent, owner) => this.#reportNamespace(dependent, owner),
    });
    this.#followResources();
  }

  async run(signal: AbortSignal): Promise<void> {
    const { informers, logger } = this.#context;
    try {
      await informers.waitForSync(signal);
    } catch (error) {
      if (!signal.aborted) throw error;
      return;
    }
    const workers = { concurrency: CONCURRENCY, logger, signal, name: NAME };
    await Promise.all([
      runWorkers({ ...workers, queue: this.#deletions, reconcile: (uid) => this.#attemptToDelete(uid, signal) }),
      runWorkers({ ...workers, queue: this.#orphanings, reconcile: (uid) => this.#attemptToOrphan(uid, signal) }),
      this.#resync(signal),
    ]);
  }

  async #resync(signal: AbortSignal): Promise<void> {
    const { clock, informers } = this.#context;
    for (;;) {
      await clock.sleep(RESYNC_MS, signal).catch(() => {});
      if (signal.aborted) return;
      if (this.#followResources()) informers.start(signal);
    }
  }

  /** Answers whether there were new ones. */
  #followResources(): boolean {
    let hasNew = false;
    for (const resource of this.#options.resources()) {
      const key = `${resource.group}/${resource.kind}`;
      if (this.#resources.has(key) || IGNORED.has(resource.group === "" ? resource.resource : `${resource.resource}.${resource.group}`))
        continue;
      this.#resources.set(key, resource);
      hasNew = true;
      this.#context.informers.informer(resource).onChange({
        added: (object) => this.#graph.set(resource, object),
        updated: (_, object) => this.#graph.set(resource, object),
        deleted: ({ metadata }) => this.#gone(metadata.namespace, metadata.uid),
      });
    }
    return hasNew;
  }

  #gone(namespace = "", uid = ""): void {
    this.#absent.set(`${namespace}/${uid}`, true);
    this.#graph.delete(uid);
  }

  async #attemptToDelete(uid: string, signal: AbortSignal): Promise<ReconcileResult | undefined> {
    const node = this.#graph.get(uid);
    if (node === undefined) return undefined;
    if (node.seen === undefined) return this.#verifyUnseen(node, signal);
    const { object } = node.seen;
    if (isDeletingDependents(object)) {
      await this.#releaseForeground(node, object, signal);
      return undefined;
    }
    if (isLeaving(object) || ownersOf(object).length === 0) return undefined;
    const owners = await this.#classify(object, node.seen.resource, signal);
    await this.#carryOut(node, object, owners, signal);
    return undefined;
  }

  async #carryOut(node: GraphNode, object: DeepReadonly<KubeObject>, owners: ClassifiedOwners, signal: AbortSignal): Promise<void> {
    const plan = planObject(node, object, owners);
    if (plan.type === "keep") return;
    if (plan.type === "dropOwners") {
      await this.#update(node, { ...object.metadata, ownerReferences: plan.ownerReferences }, signal);
      return;
    }
    let { resourceVersion } = object.metadata;
    if (plan.unblocks) {
      const ownerReferences = ownersOf(object).map((owner) => ({ ...owner, blockOwnerDeletion: false }));
      resourceVersion = (await this.#update(node, { ...object.metadata, ownerReferences }, signal))?.metadata.resourceVersion;
    }
    await this.#delete(node, { propagationPolicy: plan.propagationPolicy, preconditions: { uid: node.uid, resourceVersion } }, signal);
  }

  /** Whether something that only references speak of is there. */
  async #verifyUnseen(node: GraphNode, signal: AbortSignal): Promise<ReconcileResult | undefined> {
    for (const { seen } of node.dependents) {
      const reference = seen === undefined ? undefined : ownersOf(seen.object).find(({ uid }) => uid === node.uid);
      if (seen === undefined || reference === undefined) continue;
      const owner = await this.#liveOwner(seen.object, reference, signal);
      if (owner !== undefined) return this.#graph.get(node.uid)?.seen === undefined ? { requeueAfterMs: UNSEEN_RECHECK_MS } : undefined;
      if (this.#graph.get(node.uid)?.seen === undefined) this.#graph.delete(node.uid);
      return undefined;
    }
    return undefined;
  }

  async #classify(object: DeepReadonly<KubeObject>, resource: ResourceOf, signal: AbortSignal): Promise<ClassifiedOwners> {
    const solid: DeepReadonly<OwnerReference>[] = [];
    const dangling: DeepReadonly<OwnerReference>[] = [];
    const waiting: DeepReadonly<OwnerReference>[] = [];
    for (const reference of ownersOf(object)) {
      const ownerResource = this.#resourceOf(reference);
      // A cluster-scoped object cannot have an owner in a namespace: such a reference is left alone.
      if (ownerResource.namespaced && !resource.namespaced) {
        solid.push(reference);
        continue;
      }
      const known = this.#graph.get(reference.uid)?.seen;
      const owner =
        known !== undefined && refersTo(reference, object, known) ? known.object : await this.#liveOwner(object, reference, signal);
      if (owner === undefined) dangling.push(reference);
      else if (reference.blockOwnerDeletion === true && isDeletingDependents(owner)) waiting.push(reference);
      else solid.push(reference);
    }
    return { solid, dangling, waiting };
  }

  /** The owner as the server has it; undefined when there is none, or another of that name. */
  async #liveOwner(dependent: DeepReadonly<KubeObject>, reference: DeepReadonly<OwnerReference>, signal: AbortSignal) {
    const resource = this.#resourceOf(reference);
    const namespace = resource.namespaced ? dependent.metadata.namespace : "";
    const key = `${namespace ?? ""}/${reference.uid}`;
    if (this.#absent.get(key) === true) return undefined;
    const owner = await unlessGone(this.#context.client.get(resource, reference.name, { namespace, signal }));
    if (owner?.metadata.uid === reference.uid) return owner;
    this.#absent.set(key, true);
    return undefined;
  }

  #resourceOf(reference: DeepReadonly<OwnerReference>): ResourceOf {
    const resource = this.#resources.get(`${groupOf(reference)}/${reference.kind}`);
    if (resource === undefined) throw new UnknownOwnerKindError(reference);
    return resource;
  }

  async #releaseForeground(node: GraphNode, object: DeepReadonly<KubeObject>, signal: AbortSignal): Promise<void> {
    const blocking = blockingDependents(node);
    for (const { uid, seen } of blocking) if (seen !== undefined && !isLeaving(seen.object)) this.#deletions.add(uid);
    if (blocking.length === 0) await this.#removeFinalizer(node, object, FOREGROUND_FINALIZER, signal);
  }

  async #attemptToOrphan(uid: string, signal: AbortSignal): Promise<void> {
    const node = this.#graph.get(uid);
    if (node?.seen === undefined || !hasFinalizer(node.seen.object, ORPHAN_FINALIZER)) return;
    const releases = [...node.dependents].map((dependent) => this.#release(dependent, uid, signal));
    const failed = (await Promise.allSettled(releases)).find((result) => result.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    await this.#removeFinalizer(node, node.seen.object, ORPHAN_FINALIZER, signal);
  }

  async #release(dependent: GraphNode, ownerUid: string, signal: AbortSignal): Promise<void> {
    if (dependent.seen === undefined) return;
    const { metadata } = dependent.seen.object;
    const ownerReferences = (metadata.ownerReferences ?? []).filter(({ uid }) => uid !== ownerUid);
    if (ownerReferences.length !== (metadata.ownerReferences ?? []).length)
      await this.#update(dependent, { ...metadata, ownerReferences }, signal);
  }

  async #removeFinalizer(node: GraphNode, { metadata }: DeepReadonly<KubeObject>, finalizer: string, signal: AbortSignal): Promise<void> {
    const finalizers = (metadata.finalizers ?? []).filter((name) => name !== finalizer);
    await this.#update(node, { ...metadata, finalizers }, signal);
  }

  /** Undefined when the object is gone. A conflict means that the informer will show something newer: tried again then. */
  async #update(node: GraphNode, metadata: DeepReadonly<KubeObject["metadata"]>, signal: AbortSignal) {
    if (node.seen === undefined) return undefined;
    const { object, resource } = node.seen;
    return unlessGone(this.#context.client.update(resource, { ...object, metadata }, { namespace: metadata.namespace, signal }));
  }

  async #delete(node: GraphNode, options: DeleteOptions, signal: AbortSignal): Promise<void> {
    if (node.seen === undefined) return;
    const { object, resource } = node.seen;
    const { name = "", namespace } = object.metadata;
    await unlessGone(this.#context.client.delete(resource, name, { namespace, signal, options }));
  }

  #reportNamespace(dependent: DeepReadonly<KubeObject>, owner: DeepReadonly<OwnerReference>): void {
    const { namespace = "" } = dependent.metadata;
    const text = `[${owner.apiVersion}/${owner.kind}, namespace: ${namespace}, name: ${owner.name}, uid: ${owner.uid}]`;
    const message = `ownerRef ${text} does not exist in namespace ${JSON.stringify(namespace)}`;
    this.#context.recorder.event(dependent, "Warning", "OwnerRefInvalidNamespace", message);
  }
}

/** The reference names a kind that is not served, perhaps not yet. */
export class UnknownOwnerKindError extends Error {
  readonly code = "UNKNOWN_OWNER_KIND";

  constructor({ apiVersion, kind }: DeepReadonly<OwnerReference>) {
    super(`unable to get REST mapping for ${apiVersion}/${kind}`);
  }
}

async function unlessGone<R>(call: Promise<R>): Promise<R | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
