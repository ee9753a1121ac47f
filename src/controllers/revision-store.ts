// Reads and writes the ControllerRevisions of one kind of set.
import { type ResourceRef, resources } from "../api/index.ts";
import type { ControllerRevision } from "../api/types/apps/v1.ts";
import { carryOutClaims, claimObjects, getControllerOf, type Informer, newControllerRef } from "../client/index.ts";
import { type DeepReadonly, deepEqual, isAlreadyExists, isNotFound, type LabelSelectorMatcher } from "../machinery/index.ts";
import type { ControllerContext } from "./controller.ts";
import { planRevisions, type RevisionedSet, type RevisionPlan } from "./controller-revisions.ts";

export interface RevisionStoreOptions<T extends RevisionedSet> {
  readonly context: ControllerContext;
  readonly resource: ResourceRef<T>;
  /** The label that holds a revision's hash. */
  readonly hashLabel: string;
}

/** The name of a new revision is taken by one with another template; the set's collisionCount has been raised. */
export class RevisionCollisionError extends Error {
  readonly code = "REVISION_COLLISION";
}

export class RevisionStore<T extends RevisionedSet> {
  readonly #options: RevisionStoreOptions<T>;
  readonly #revisions: Informer<ControllerRevision>;

  constructor(options: RevisionStoreOptions<T>) {
    this.#options = options;
    this.#revisions = options.context.informers.informer(resources.controllerrevisions);
  }

  /** The set's history, with the revision of its template written; adopts and releases revisions. */
  async ensure(set: DeepReadonly<T>, selector: LabelSelectorMatcher, signal: AbortSignal): Promise<RevisionPlan> {
    const revisions = await this.#claim(set, selector, signal);
    const { resource, hashLabel } = this.#options;
    const owner = newControllerRef(set, { apiVersion: `${resource.group}/${resource.version}`, kind: resource.kind });
    const plan = planRevisions(set, revisions, { owner, hashLabel });
    if (plan.write === "create") return { ...plan, current: await this.#create(set, plan.current, signal) };
    if (plan.write === "renumber") return { ...plan, current: await this.#update(plan.current, signal) };
    return plan;
  }

  async delete(revisions: readonly DeepReadonly<ControllerRevision>[], signal: AbortSignal): Promise<void> {
    for (const { metadata } of revisions) {
      const { name = "", namespace } = metadata;
      await this.#options.context.client.delete(resources.controllerrevisions, name, { namespace, signal }).catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
    }
  }

  #claim(set: DeepReadonly<T>, selector: LabelSelectorMatcher, signal: AbortSignal) {
    const { context, resource } = this.#options;
    const objects = this.#revisions.lister.list(set.metadata.namespace);
    const claims = claimObjects<ControllerRevision>({ controller: set, objects, selector });
    return carryOutClaims<ControllerRevision>({
      client: context.client,
      controller: set,
      controllerResource: resource,
      resource: resources.controllerrevisions,
      claims,
      signal,
    });
  }

  async #create(set: DeepReadonly<T>, revision: DeepReadonly<ControllerRevision>, signal: AbortSignal) {
    const { client } = this.#options.context;
    const { namespace } = set.metadata;
    try {
      return await client.create(resources.controllerrevisions, revision, { namespace, signal });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
    const { name = "" } = revision.metadata;
    const existing = await client.get(resources.controllerrevisions, name, { namespace, signal });
    const isOurs = getControllerOf(existing)?.uid === set.metadata.uid && deepEqual(existing.data, revision.data);
    if (isOurs) return existing;
    const status = { ...set.status, collisionCount: (set.status?.collisionCount ?? 0) + 1 };
    await client.update(this.#options.resource, { ...set, status }, { namespace, subresource: "status", signal });
    throw new RevisionCollisionError(`found hash collision for ControllerRevision ${name}, bumped collisionCount to resolve it`);
  }

  #update(revision: DeepReadonly<ControllerRevision>, signal: AbortSignal) {
    const { namespace } = revision.metadata;
    return this.#options.context.client.update(resources.controllerrevisions, revision, { namespace, signal });
  }
}
