// The pods of one kind of controller, found by owner reference and by selector. A change of a pod queues the controllers
// that it concerns and fulfils what they expect.
import { type ResourceRef, resources } from "../api/index.ts";
import type { Pod } from "../api/types/core/v1.ts";
import { ControllerExpectations, carryOutClaims, claimObjects, getControllerOf, type Informer } from "../client/index.ts";
import { type DeepReadonly, deepEqual, type KubeObject, type LabelSelectorMatcher, objectKey } from "../machinery/index.ts";
import type { ControllerContext } from "./controller.ts";
import { Pace } from "./pace.ts";

export interface OwnedPodsOptions<T extends KubeObject> {
  readonly context: ControllerContext;
  /** The controllers' kind. */
  readonly resource: ResourceRef<T>;
  readonly selectorOf: (owner: DeepReadonly<T>) => LabelSelectorMatcher;
  /** The controller goes on from what stands in the owner's status: a change there cannot wait. */
  readonly goesOnFromStatus?: boolean;
  /** Put on pods that are adopted, taken from those that are released. */
  readonly finalizers?: readonly string[];
  /** Told the key of every controller that has to look again, and how long that can wait. */
  readonly queue: (key: string, delayMs: number) => void;
}

/** Pods by the uid of their controller; orphans by their namespace. */
const BY_CONTROLLER = "controller";
/** A look at a pod takes about two microseconds. */
const REST_MS_PER_POD = 0.1;
const orphansOf = (namespace: string) => `orphans/${namespace}`;

export class OwnedPods<T extends KubeObject> {
  readonly owners: Informer<T>;
  readonly informer: Informer<Pod>;
  readonly expectations: ControllerExpectations;
  readonly #options: OwnedPodsOptions<T>;
  /** Of the looks at controllers with many pods. */
  readonly pace: Pace;
  readonly #apiVersion: string;
  readonly #selectors = new WeakMap<DeepReadonly<T>, LabelSelectorMatcher>();

  constructor(options: OwnedPodsOptions<T>) {
    const { context, resource } = options;
    this.#options = options;
    this.#apiVersion = resource.group === "" ? resource.version : `${resource.group}/${resource.version}`;
    this.expectations = new ControllerExpectations(context.clock);
    this.pace = new Pace(context.clock, REST_MS_PER_POD);
    this.owners = context.informers.informer(resource);
    this.informer = context.informers.informer(resources.pods);
    this.informer.addIndex(BY_CONTROLLER, (pod) => [getControllerOf(pod)?.uid ?? orphansOf(pod.metadata.namespace ?? "")]);
    const add = (owner: DeepReadonly<T>) => options.queue(objectKey(owner), 0);
    this.owners.onChange({ added: add, updated: (old, owner) => this.#ownerUpdated(old, owner), deleted: (owner) => this.#forget(owner) });
    this.informer.onChange({
      added: (pod) => this.#added(pod),
      updated: (old, pod) => this.#updated(old, pod),
      deleted: (pod) => this.#deleted(pod),
    });
  }

  /** The controller's kind as it stands in owner references. */
  get kind(): { readonly apiVersion: string; readonly kind: string } {
    return { apiVersion: this.#apiVersion, kind: this.#options.resource.kind };
  }

  /** Pods that the owner controls, or would if it adopted: all of which `belongs` is true. */
  async claim(
    owner: DeepReadonly<T>,
    signal: AbortSignal,
    belongs: (pod: DeepReadonly<Pod>) => boolean = () => true,
  ): Promise<readonly DeepReadonly<Pod>[]> {
    const { context, resource, finalizers = [] } = this.#options;
    const objects = [
      ...this.controlledBy(owner),
      ...this.informer.lister.byIndex(BY_CONTROLLER, orphansOf(owner.metadata.namespace ?? "")),
    ];
    this.pace.looked(objectKey(owner), objects.length);
    const claims = claimObjects({ controller: owner, objects: objects.filter(belongs), selector: this.#selectorOf(owner) });
    return carryOutClaims({
      client: context.client,
      controller: owner,
      controllerResource: resource,
      resource: resources.pods,
      claims,
      finalizers,
      signal,
    });
  }

  /** Whether there are pods that the owner would adopt. */
  hasOrphans(owner: DeepReadonly<T>): boolean {
    const orphans = this.informer.lister.byIndex(BY_CONTROLLER, orphansOf(owner.metadata.namespace ?? ""));
    return orphans.some(({ metadata }) => this.#selectorOf(owner).matches(metadata.labels));
  }

  /** Pods with an owner reference to `owner`, whatever their labels. */
  controlledBy(owner: DeepReadonly<KubeObject>): readonly DeepReadonly<Pod>[] {
    return this.informer.lister.byIndex(BY_CONTROLLER, owner.metadata.uid ?? "");
  }

  /** The key of the controller that owns the pod, when it is of this kind. */
  keyOfOwner(pod: DeepReadonly<Pod>): string | undefined {
    const owner = getControllerOf(pod);
    const isOurs = owner?.kind === this.#options.resource.kind && owner.apiVersion === this.#apiVersion;
    return isOurs ? `${pod.metadata.namespace}/${owner.name}` : undefined;
  }

  #selectorOf(owner: DeepReadonly<T>): LabelSelectorMatcher {
    let selector = this.#selectors.get(owner);
    if (selector === undefined) this.#selectors.set(owner, (selector = this.#options.selectorOf(owner)));
    return selector;
  }

  /** A new status is mostly what the controller itself has written: to look at once would be to look without a rest. */
  #ownerUpdated(old: DeepReadonly<T>, owner: DeepReadonly<T>): void {
    const key = objectKey(owner);
    const isUrgent = this.#options.goesOnFromStatus === true || old.metadata.generation !== owner.metadata.generation;
    this.#options.queue(key, isUrgent ? 0 : this.pace.restMs(key));
  }

  #forget(owner: DeepReadonly<T>): void {
    const key = objectKey(owner);
    this.expectations.forget(key);
    this.pace.looked(key, 0);
    this.#options.queue(key, 0);
  }

  #added(pod: DeepReadonly<Pod>): void {
    const key = this.keyOfOwner(pod);
    if (key !== undefined) {
      const isLast = this.expectations.creationObserved(key);
      this.#observe(key, pod, isLast);
    } else if (getControllerOf(pod) === undefined) this.#queueMatching(pod);
  }

  #updated(old: DeepReadonly<Pod>, pod: DeepReadonly<Pod>): void {
    const key = this.keyOfOwner(pod);
    const oldKey = this.keyOfOwner(old);
    if (oldKey !== undefined && oldKey !== key) this.#options.queue(oldKey, 0);
    if (key !== undefined) this.#observe(key, pod, false);
    else if (getControllerOf(pod) === undefined && (oldKey !== undefined || !deepEqual(old.metadata.labels, pod.metadata.labels)))
      this.#queueMatching(pod);
  }

  #deleted(pod: DeepReadonly<Pod>): void {
    const key = this.keyOfOwner(pod);
    if (key === undefined) return;
    const isLast = this.expectations.deletionObserved(key, pod.metadata.uid ?? "");
    this.#changed(key, isLast);
  }

  #observe(key: string, pod: DeepReadonly<Pod>, isLastCreation: boolean): void {
    const isLeaving = pod.metadata.deletionTimestamp !== undefined;
    const isLast = isLeaving && this.expectations.deletionObserved(key, pod.metadata.uid ?? "");
    this.#changed(key, isLast || isLastCreation);
  }

  /** `isAwaited`: the controller could not go on without this. */
  #changed(key: string, isAwaited: boolean): void {
    this.#options.queue(key, isAwaited ? 0 : this.pace.restMs(key));
  }

  /** An orphan concerns every controller whose selector matches it. */
  #queueMatching(pod: DeepReadonly<Pod>): void {
    for (const owner of this.owners.lister.list(pod.metadata.namespace)) {
      if (this.#selectorOf(owner).matches(pod.metadata.labels ?? {})) this.#options.queue(objectKey(owner), 0);
    }
  }
}
