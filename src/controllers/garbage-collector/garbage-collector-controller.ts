// Deletes what has lost its owners, and carries out foreground and orphaning deletion.
import { resources as builtIn, type ResourceRef } from "../../api/index.ts";
import { type ReconcileResult, WorkQueue } from "../../client/index.ts";
import type { DeepReadonly, KubeObject, OwnerReference } from "../../machinery/index.ts";
import { type Controller, type ControllerContext, keyedController } from "../controller.ts";
import { Monitors } from "./monitors.ts";
import {
  apiVersionOf,
  FOREGROUND_FINALIZER,
  type GraphChange,
  type GraphNode,
  ORPHAN_FINALIZER,
  OwnerGraph,
  type Place,
} from "./owner-graph.ts";
import { OwnerResolver, UnresolvableOwnerError } from "./owner-resolver.ts";
import { type DependentPlan, invalidOwnerMessage, planDependent, taskOf } from "./plan.ts";
import { GarbageWrites } from "./writes.ts";

export interface GarbageCollectorOptions {
  /** The resources served now whose objects can be deleted, listed and watched; asked again when definitions change. */
  readonly resources: () => readonly ResourceRef<KubeObject>[];
}

/** Upstream's --concurrent-gc-syncs. */
const CONCURRENCY = 20;
/** Stands in the queue among uids: look at which resources are served. */
const RESOURCES = "resources";
/** A definition that changed is served, or not any more, by then. */
const RESOURCES_DELAY_MS = 1000;
/** When to look again at an object with an owner that no informer has shown; a watch is rarely that late. */
const UNSEEN_OWNER_MS = 10_000;

/** @see kubernetes `pkg/controller/garbagecollector` */
export function garbageCollectorController(context: ControllerContext, options: GarbageCollectorOptions): Controller {
  const collector = new GarbageCollector(context, options);
  return keyedController({
    name: "garbage-collector-controller",
    context,
    queue: collector.queue,
    reconcile: (key, signal) => collector.reconcile(key, signal),
    concurrency: CONCURRENCY,
  });
}

class GarbageCollector {
  readonly queue: WorkQueue<string>;
  readonly #context: ControllerContext;
  readonly #options: GarbageCollectorOptions;
  readonly #graph = new OwnerGraph();
  readonly #monitors: Monitors;
  readonly #owners: OwnerResolver;
  readonly #writes: GarbageWrites;
  /** Objects with an owner of a kind that is not served: looked at again when other kinds are. */
  readonly #unresolved = new Set<string>();

  constructor(context: ControllerContext, options: GarbageCollectorOptions) {
    this.#context = context;
    this.#options = options;
    // Thousands of objects may meet a conflict at once; a limit for all together would hold them up for minutes.
    this.queue = new WorkQueue({ clock: context.clock, rateLimiter: { bucket: false } });
    this.#writes = new GarbageWrites(context);
    this.#monitors = new Monitors({ informers: context.informers, graph: this.#graph, onChange: (change) => this.#take(change) });
    this.#owners = new OwnerResolver({
      client: context.client,
      resourceOf: (apiVersion, kind) => this.#monitors.resourceOf(apiVersion, kind),
      cached: (resource, namespace, name) => this.#monitors.cached(resource, namespace, name),
    });
    this.#monitors.follow(options.resources());
    const lookAgain = () => this.queue.addAfter(RESOURCES, RESOURCES_DELAY_MS);
    for (const definitions of [builtIn.customresourcedefinitions, builtIn.apiservices]) {
      context.informers.informer<KubeObject>(definitions).onChange({ added: lookAgain, updated: lookAgain, deleted: lookAgain });
    }
  }

  async reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult | undefined> {
    const node = this.#graph.get(key);
    if (key === RESOURCES) this.#followResources(signal);
    return node && this.#workOn(node, signal);
  }

  async #workOn(node: GraphNode, signal: AbortSignal): Promise<ReconcileResult | undefined> {
    switch (taskOf(node)) {
      case "orphanDependents":
        await this.#writes.orphanDependents(node, signal);
        await this.#writes.removeFinalizer(node, ORPHAN_FINALIZER, signal);
        return undefined;
      case "finishForeground":
        await this.#writes.removeFinalizer(node, FOREGROUND_FINALIZER, signal);
        return undefined;
      case "checkOwners":
        return this.#checkOwners(node, signal);
      case "nothing":
        return undefined;
    }
  }

  async #checkOwners(node: GraphNode, signal: AbortSignal): Promise<ReconcileResult | undefined> {
    const { place, uid } = node;
    const object = place && this.#monitors.cached(place.resource, place.namespace, place.name);
    // Of another object by that name, or of none, an event is on its way.
    if (place === undefined || object?.metadata.uid !== uid) return undefined;
    const owners = await this.#ownerStates(node, object, signal);
    if (owners === undefined) return undefined;
    const plan = planDependent({
      metadata: object.metadata,
      owners,
      hasDependents: node.dependents.size > 0,
      hasDeletingDependent: node.dependents.values().some((dependent) => dependent.deletion === "foreground"),
    });
    await this.#carryOut(plan, place, object, signal);
    return owners.some((owner) => owner.state === "solid" && this.#isUnseen(owner)) ? { requeueAfterMs: UNSEEN_OWNER_MS } : undefined;
  }

  /** An owner that came and went while its watch was broken is never seen: no event will tell that it is gone. */
  #isUnseen({ apiVersion, kind, uid }: DeepReadonly<OwnerReference>): boolean {
    const resource = this.#monitors.resourceOf(apiVersion, kind);
    return resource !== undefined && this.#monitors.isFollowed(resource) && this.#graph.get(uid)?.place === undefined;
  }

  /** Undefined when one cannot be resolved. */
  async #ownerStates({ uid }: GraphNode, { metadata }: DeepReadonly<KubeObject>, signal: AbortSignal) {
    const references = metadata.ownerReferences ?? [];
    try {
      const state = async (reference: (typeof references)[number]) => ({
        ...reference,
        state: await this.#owners.state(reference, metadata.namespace ?? "", signal),
      });
      return await Promise.all(references.map(state));
    } catch (error) {
      if (!(error instanceof UnresolvableOwnerError)) throw error;
      this.#context.logger.info("an owner cannot be resolved", { namespace: metadata.namespace, name: metadata.name, error });
      if (error.isUnknownKind) this.#unresolved.add(uid);
      return undefined;
    }
  }

  async #carryOut(plan: DependentPlan, place: Place, object: DeepReadonly<KubeObject>, signal: AbortSignal): Promise<void> {
    switch (plan.action) {
      case "keep":
        return;
      case "dropOwners":
        await this.#writes.changeOwners(place, object, (owners) => owners.filter(({ uid }) => !plan.uids.has(uid)), signal);
        return;
      case "delete": {
        const current = plan.unblocks ? await this.#unblock(place, object, signal) : object;
        if (current !== undefined) await this.#writes.delete(place, current, plan.policy, signal);
      }
    }
  }

  #unblock(place: Place, object: DeepReadonly<KubeObject>, signal: AbortSignal) {
    return this.#writes.changeOwners(place, object, (owners) => owners.map((each) => ({ ...each, blockOwnerDeletion: false })), signal);
  }

  #take({ check, invalid }: GraphChange): void {
    for (const uid of check) this.queue.add(uid);
    for (const { dependent, reference } of invalid) {
      if (dependent.place === undefined) continue;
      const { resource, namespace, name } = dependent.place;
      const target = { apiVersion: apiVersionOf(resource), kind: resource.kind, namespace, name, uid: dependent.uid };
      this.#context.recorder.event(target, "Warning", "OwnerRefInvalidNamespace", invalidOwnerMessage(reference, namespace));
    }
  }

  #followResources(signal: AbortSignal): void {
    this.#monitors.follow(this.#options.resources());
    this.#context.informers.start(signal);
    for (const uid of this.#unresolved) this.queue.add(uid);
    this.#unresolved.clear();
  }
}
