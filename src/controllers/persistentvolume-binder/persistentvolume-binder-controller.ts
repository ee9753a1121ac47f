// Binds claims to volumes and keeps the phases of both.
import {
  BETA_STORAGE_PROVISIONER,
  BIND_COMPLETED,
  boundClaim,
  boundClaimStatus,
  boundVolume,
  type Claim,
  resources,
  STORAGE_PROVISIONER,
  unboundVolume,
  type Volume,
} from "../../api/index.ts";
import type { PersistentVolume, PersistentVolumeClaim, Pod } from "../../api/types/core/v1.ts";
import type { StorageClass } from "../../api/types/storage/v1.ts";
import { type Informer, WorkQueue } from "../../client/index.ts";
import { isNotFound, objectKey, splitKey } from "../../machinery/index.ts";
import { type Controller, type ControllerContext, keyedController } from "../controller.ts";
import { type ClaimPlan, planClaim } from "./plan-claim.ts";
import { planVolume, volumeStatus } from "./plan-volume.ts";

const BY_CLAIM = "persistentvolume-binder/claim";
const UNBOUND = "persistentvolume-binder/unbound";
const PODS_BY_CLAIM = "persistentvolume-binder/pods";

export function persistentVolumeBinderController(context: ControllerContext): Controller {
  const binder = new Binder(context);
  return keyedController({
    name: "persistentvolume-binder-controller",
    context,
    queue: binder.queue,
    reconcile: async (key, signal) => {
      await binder.reconcile(key, signal);
      return undefined;
    },
  });
}

/** Keys are `claim:namespace/name` and `volume:name`. */
class Binder {
  readonly queue: WorkQueue<string>;
  readonly #context: ControllerContext;
  readonly #claims: Informer<PersistentVolumeClaim>;
  readonly #volumes: Informer<PersistentVolume>;
  readonly #classes: Informer<StorageClass>;
  readonly #pods: Informer<Pod>;

  constructor(context: ControllerContext) {
    const { informers, clock } = context;
    this.#context = context;
    this.queue = new WorkQueue({ clock });
    this.#claims = informers.informer(resources.persistentvolumeclaims);
    this.#volumes = informers.informer(resources.persistentvolumes);
    this.#classes = informers.informer(resources.storageclasses);
    this.#pods = informers.informer(resources.pods);
    this.#claims.addIndex(UNBOUND, ({ metadata }) => (metadata.annotations?.[BIND_COMPLETED] === undefined ? [""] : []));
    this.#volumes.addIndex(BY_CLAIM, ({ spec }) => (spec?.claimRef === undefined ? [] : [claimKeyOf(spec.claimRef)]));
    this.#pods.addIndex(PODS_BY_CLAIM, ({ metadata, spec }) =>
      (spec?.volumes ?? []).flatMap((volume) => {
        const claim = volume.persistentVolumeClaim?.claimName;
        return claim === undefined ? [] : [`${metadata.namespace}/${claim}`];
      }),
    );
    this.#watch();
  }

  #watch(): void {
    const claimChanged = (claim: Claim) => {
      this.queue.add(`claim:${objectKey(claim)}`);
      for (const { metadata } of this.#volumes.lister.byIndex(BY_CLAIM, objectKey(claim))) this.queue.add(`volume:${metadata.name}`);
    };
    const volumeChanged = (volume: Volume) => {
      this.queue.add(`volume:${volume.metadata.name}`);
      if (volume.spec?.claimRef !== undefined) this.queue.add(`claim:${claimKeyOf(volume.spec.claimRef)}`);
      else if (volume.status?.phase === "Available") this.#addUnbound();
    };
    this.#claims.onChange({ added: claimChanged, updated: (_, claim) => claimChanged(claim), deleted: claimChanged });
    this.#volumes.onChange({ added: volumeChanged, updated: (_, volume) => volumeChanged(volume), deleted: volumeChanged });
    this.#classes.onChange({ added: () => this.#addUnbound(), updated: () => this.#addUnbound() });
  }

  #addUnbound(): void {
    for (const claim of this.#claims.lister.byIndex(UNBOUND, "")) this.queue.add(`claim:${objectKey(claim)}`);
  }

  async reconcile(key: string, signal: AbortSignal): Promise<void> {
    const [kind, rest = ""] = splitOnce(key);
    if (kind === "volume") return this.#reconcileVolume(rest, signal);
    const { namespace, name } = splitKey(rest);
    const claim = this.#claims.lister.get(namespace, name);
    if (claim === undefined) return;
    const volumes = this.#volumes.lister.list();
    const pods = this.#pods.lister.byIndex(PODS_BY_CLAIM, rest);
    const waitingPod = pods.find(({ spec }) => !spec?.nodeName)?.metadata.name;
    await this.#carryOut(claim, planClaim({ claim, volumes, classes: this.#classes.lister.list(), waitingPod }), signal);
  }

  async #carryOut(claim: Claim, plan: ClaimPlan, signal: AbortSignal): Promise<void> {
    const { client, recorder } = this.#context;
    const call = { namespace: claim.metadata.namespace, signal };
    if (plan.bindTo !== undefined) return this.#bind(claim, plan.bindTo, signal);
    if (plan.event !== undefined) recorder.event(claim, plan.event.type, plan.event.reason, plan.event.message);
    let current = claim;
    const { provisioner, storageClassName, phase } = plan;
    if (provisioner !== undefined) {
      const annotations = {
        ...claim.metadata.annotations,
        [STORAGE_PROVISIONER]: provisioner,
        [BETA_STORAGE_PROVISIONER]: provisioner,
      };
      current = await client.update(resources.persistentvolumeclaims, { ...claim, metadata: { ...claim.metadata, annotations } }, call);
    }
    if (storageClassName !== undefined) {
      await client.update(resources.persistentvolumeclaims, { ...claim, spec: { ...claim.spec, storageClassName } }, call);
    }
    if (phase === undefined || claim.status?.phase === phase) return;
    const status = { ...current.status, phase };
    await client.update(resources.persistentvolumeclaims, { ...current, status }, { ...call, subresource: "status" });
  }

  /** The volume first: it can have one claim only, and whoever writes it first has it. */
  async #bind(claim: Claim, volume: Volume, signal: AbortSignal): Promise<void> {
    const { client } = this.#context;
    const call = { namespace: claim.metadata.namespace, signal };
    const withClaim = boundVolume(volume, claim);
    const updated = withClaim === undefined ? volume : await client.update(resources.persistentvolumes, withClaim, { signal });
    const status = volumeStatus(updated, { phase: "Bound" });
    if (status !== undefined) await client.update(resources.persistentvolumes, { ...updated, status }, { subresource: "status", signal });
    const withVolume = boundClaim(claim, volume);
    const current = withVolume === undefined ? claim : await client.update(resources.persistentvolumeclaims, withVolume, call);
    const withStatus = boundClaimStatus(current, volume);
    if (withStatus !== undefined) await client.update(resources.persistentvolumeclaims, withStatus, { ...call, subresource: "status" });
  }

  async #reconcileVolume(name: string, signal: AbortSignal): Promise<void> {
    const { client, recorder } = this.#context;
    const volume = this.#volumes.lister.get("", name);
    if (volume === undefined) return;
    const claim = await this.#claimOf(volume, signal);
    const plan = planVolume(volume, claim);
    const reference = volume.spec?.claimRef;
    if (plan.isClaimDue === true && reference !== undefined) this.queue.add(`claim:${claimKeyOf(reference)}`);
    if (plan.event !== undefined) recorder.event(volume, plan.event.type, plan.event.reason, plan.event.message);
    let current = volume;
    if (plan.isUnbound === true) current = await client.update(resources.persistentvolumes, unboundVolume(volume), { signal });
    const status = volumeStatus(current, plan.isUnbound === true ? { phase: "Available" } : plan);
    if (status !== undefined) await client.update(resources.persistentvolumes, { ...current, status }, { subresource: "status", signal });
  }

  /** Asks the server when the informer knows no such claim: a volume must not be released by mistake. */
  async #claimOf({ spec }: Volume, signal: AbortSignal): Promise<Claim | undefined> {
    const { namespace = "", name = "", uid } = spec?.claimRef ?? {};
    const known = this.#claims.lister.get(namespace, name);
    if (name === "" || uid === undefined || known?.metadata.uid === uid) return known;
    try {
      return await this.#context.client.get(resources.persistentvolumeclaims, name, { namespace, signal });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }
}

function claimKeyOf({
  namespace = "",
  name = "",
}: {
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
}): string {
  return `${namespace}/${name}`;
}

function splitOnce(key: string): readonly [string, string] {
  const colon = key.indexOf(":");
  return [key.slice(0, colon), key.slice(colon + 1)];
}
