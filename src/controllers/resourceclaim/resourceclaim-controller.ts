// Makes resource claims of templates for pods, and gives back what pods need no more.
import { resources } from "../../api/index.ts";
import type { Pod } from "../../api/types/core/v1.ts";
import type { ResourceClaim, ResourceClaimTemplate } from "../../api/types/resource/v1.ts";
import { type Informer, WorkQueue } from "../../client/index.ts";
import { type DeepReadonly, deepEqual, isNotFound, objectKey, splitKey } from "../../machinery/index.ts";
import { type Controller, type ControllerContext, keyedController } from "../controller.ts";
import { type Claim, claimNames, DELETE_PROTECTION, planClaim, planPodClaims } from "./plan.ts";

const POD = "pod:";
const CLAIM = "claim:";

/** @see kubernetes `pkg/controller/resourceclaim` */
export function resourceClaimController(context: ControllerContext): Controller {
  const reconciler = new ResourceClaimReconciler(context);
  return keyedController({
    name: "resourceclaim-controller",
    context,
    queue: reconciler.queue,
    reconcile: async (key, signal) => {
      if (key.startsWith(POD)) await reconciler.reconcilePod(key.slice(POD.length), signal);
      else await reconciler.reconcileClaim(key.slice(CLAIM.length), signal);
      return undefined;
    },
  });
}

class ResourceClaimReconciler {
  readonly queue: WorkQueue<string>;
  readonly #context: ControllerContext;
  readonly #pods: Informer<Pod>;
  readonly #claims: Informer<ResourceClaim>;
  readonly #templates: Informer<ResourceClaimTemplate>;
  /** Pods that wait for a template. */
  readonly #waiting = new Set<string>();

  constructor(context: ControllerContext) {
    const { informers, clock } = context;
    this.#context = context;
    this.queue = new WorkQueue({ clock });
    this.#pods = informers.informer(resources.pods);
    this.#claims = informers.informer(resources.resourceclaims);
    this.#templates = informers.informer(resources.resourceclaimtemplates);
    const podChanged = (pod: DeepReadonly<Pod>) => {
      if ((pod.spec?.resourceClaims ?? []).length === 0) return;
      this.queue.add(`${POD}${objectKey(pod)}`);
      for (const name of claimNames(pod)) this.queue.add(`${CLAIM}${pod.metadata.namespace}/${name}`);
    };
    const claimChanged = (claim: Claim) => {
      this.queue.add(`${CLAIM}${objectKey(claim)}`);
      const owner = claim.metadata.ownerReferences?.find(({ controller, kind }) => controller === true && kind === "Pod");
      if (owner !== undefined) this.queue.add(`${POD}${claim.metadata.namespace}/${owner.name}`);
    };
    this.#pods.onChange({ added: podChanged, updated: (_, pod) => podChanged(pod), deleted: podChanged });
    this.#claims.onChange({ added: claimChanged, updated: (_, claim) => claimChanged(claim), deleted: claimChanged });
    this.#templates.onChange({
      added: () => {
        for (const key of this.#waiting) this.queue.add(`${POD}${key}`);
      },
    });
  }

  async reconcilePod(key: string, signal: AbortSignal): Promise<void> {
    const { client, recorder } = this.#context;
    const { namespace, name } = splitKey(key);
    this.#waiting.delete(key);
    const pod = this.#pods.lister.get(namespace, name);
    if (pod === undefined) return;
    // A claim made a moment ago may not have come to the informer: a second one would be made.
    const isMaking = planPodClaims(pod, this.#claims.lister.list(namespace), (template) => this.#templates.lister.get(namespace, template));
    const claims =
      isMaking.create.size === 0
        ? this.#claims.lister.list(namespace)
        : (await client.list(resources.resourceclaims, { namespace, signal })).items;
    const plan = planPodClaims(pod, claims, (template) => this.#templates.lister.get(namespace, template));
    if (plan.missing.length > 0) {
      this.#waiting.add(key);
      recorder.event(pod, "Warning", "FailedResourceClaimCreation", `resourceclaimtemplate.resource.k8s.io "${plan.missing[0]}" not found`);
    }
    const statuses = [...plan.statuses];
    for (const [claimName, claim] of plan.create) {
      const made = await client.create(resources.resourceclaims, claim, { namespace, signal });
      statuses.push({ name: claimName, resourceClaimName: made.metadata.name });
    }
    if (statuses.length === 0 || deepEqual(pod.status?.resourceClaimStatuses ?? [], statuses)) return;
    const patch = { metadata: { uid: pod.metadata.uid }, status: { resourceClaimStatuses: statuses } };
    await client.patch(resources.pods, name, patch, {
      namespace,
      subresource: "status",
      type: "application/strategic-merge-patch+json",
      signal,
    });
  }

  async reconcileClaim(key: string, signal: AbortSignal): Promise<void> {
    const { client } = this.#context;
    const { namespace, name } = splitKey(key);
    const claim = this.#claims.lister.get(namespace, name);
    if (claim === undefined) return;
    const plan = planClaim(claim, (pod) => this.#pods.lister.get(namespace, pod));
    let current = claim;
    if (plan.status !== undefined) {
      current = await client.update(
        resources.resourceclaims,
        { ...claim, status: plan.status },
        { namespace, subresource: "status", signal },
      );
    }
    const finalizers = current.metadata.finalizers ?? [];
    if (plan.isReleased === true && finalizers.includes(DELETE_PROTECTION)) {
      const metadata = { ...current.metadata, finalizers: finalizers.filter((each) => each !== DELETE_PROTECTION) };
      await client.update(resources.resourceclaims, { ...current, metadata }, { namespace, signal });
    }
    if (plan.isToDelete !== true) return;
    const { uid } = claim.metadata;
    const options = { preconditions: uid === undefined ? {} : { uid } };
    await client.delete(resources.resourceclaims, name, { namespace, options, signal }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  }
}
