// Carries out what a StatefulSet's plan says: pods and their claims.
import { resources } from "../../api/index.ts";
import type { StatefulSet } from "../../api/types/apps/v1.ts";
import type { PersistentVolumeClaim, Pod } from "../../api/types/core/v1.ts";
import type { Informer } from "../../client/index.ts";
import { type DeepReadonly, isAlreadyExists, isNotFound } from "../../machinery/index.ts";
import type { ControllerContext } from "../controller.ts";
import { messageOf } from "../error-message.ts";
import { hasOtherController, isStale, withOwners } from "./claim-owners.ts";
import { claimsOf, ordinalOf, withIdentity } from "./identity.ts";

type ReadonlySet = DeepReadonly<StatefulSet>;
type ReadonlyPod = DeepReadonly<Pod>;

/** A claim of that name is on its way out: the pod has to wait. */
export class ClaimTerminatingError extends Error {
  readonly code = "CLAIM_TERMINATING";
}

export class StatefulPodControl {
  readonly #context: Pick<ControllerContext, "client" | "recorder">;
  readonly #claims: Informer<PersistentVolumeClaim>;

  constructor(context: Pick<ControllerContext, "client" | "recorder">, claims: Informer<PersistentVolumeClaim>) {
    this.#context = context;
    this.#claims = claims;
  }

  /** The pod's claims, then the pod. Does nothing while claims of its predecessor are about to go. */
  async create(set: ReadonlySet, pod: ReadonlyPod, signal: AbortSignal): Promise<void> {
    if (this.#knownClaims(set, pod).some((claim) => isStale({ set, pod }, claim))) return;
    await this.#createClaims(set, pod, signal);
    const { name = "", namespace } = pod.metadata;
    const text = `create Pod ${name} in StatefulSet ${set.metadata.name}`;
    try {
      const created = await this.#context.client.create(resources.pods, pod, { namespace, signal });
      this.#event(set, "Normal", "SuccessfulCreate", `${text} successful`);
      await this.#ownClaims(set, created, signal);
    } catch (error) {
      // The informer is late; its event will bring the set back.
      if (isAlreadyExists(error)) return;
      this.#event(set, "Warning", "FailedCreate", `${text} failed error: ${messageOf(error)}`);
      throw error;
    }
  }

  async delete(set: ReadonlySet, pod: ReadonlyPod, signal: AbortSignal): Promise<void> {
    const { name = "", namespace, uid } = pod.metadata;
    const text = `delete Pod ${name} in StatefulSet ${set.metadata.name}`;
    try {
      await this.#context.client.delete(resources.pods, name, { namespace, signal, options: { preconditions: { uid } } });
      this.#event(set, "Normal", "SuccessfulDelete", `${text} successful`);
    } catch (error) {
      if (isNotFound(error)) return;
      this.#event(set, "Warning", "FailedDelete", `${text} failed error: ${messageOf(error)}`);
      throw error;
    }
  }

  async recreate(set: ReadonlySet, pod: ReadonlyPod, signal: AbortSignal): Promise<void> {
    const { namespace, name } = set.metadata;
    const isFailed = pod.status?.phase === "Failed";
    this.#event(
      set,
      isFailed ? "Warning" : "Normal",
      isFailed ? "RecreatingFailedPod" : "RecreatingTerminatedPod",
      `StatefulSet ${namespace}/${name} is recreating ${isFailed ? "failed" : "terminated"} Pod ${pod.metadata.name}`,
    );
    await this.delete(set, pod, signal);
  }

  /** A pod that waits to be placed may lack claims; any may have lost a label, or its claims their owner. */
  async repair(set: ReadonlySet, pod: ReadonlyPod, signal: AbortSignal): Promise<void> {
    if (pod.status?.phase === "Pending" && pod.metadata.deletionTimestamp === undefined) await this.#createClaims(set, pod, signal);
    await this.#ownClaims(set, pod, signal);
    const repaired = withIdentity(pod);
    if (repaired === undefined) return;
    const { namespace, name } = pod.metadata;
    await this.#context.client.update(resources.pods, repaired, { namespace, signal });
    this.#event(set, "Normal", "SuccessfulUpdate", `update Pod ${name} in StatefulSet ${set.metadata.name} successful`);
  }

  async #createClaims(set: ReadonlySet, pod: ReadonlyPod, signal: AbortSignal): Promise<void> {
    for (const wanted of claimsOf(set, ordinalOf(pod))) {
      const { name = "", namespace } = wanted.metadata;
      const known = this.#claims.lister.get(namespace ?? "", name);
      if (known?.metadata.deletionTimestamp !== undefined) throw new ClaimTerminatingError(`pvc ${name} is being deleted`);
      if (known !== undefined) continue;
      const claim = withOwners({ set, pod }, wanted) ?? wanted;
      try {
        await this.#context.client.create(resources.persistentvolumeclaims, claim, { namespace, signal });
        const text = `create Claim ${name} Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name} success`;
        this.#event(set, "Normal", "SuccessfulCreate", text);
      } catch (error) {
        if (isAlreadyExists(error)) continue;
        const text = `create Claim ${name} for Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name} failed`;
        this.#event(set, "Warning", "FailedCreate", `${text} error: ${messageOf(error)}`);
        throw error;
      }
    }
  }

  async #ownClaims(set: ReadonlySet, pod: ReadonlyPod, signal: AbortSignal): Promise<void> {
    for (const claim of this.#knownClaims(set, pod)) {
      const { name, namespace } = claim.metadata;
      if (hasOtherController({ set, pod }, claim)) {
        const text = `PersistentVolumeClaim ${name} has a conflicting OwnerReference that acts as a manging controller`;
        this.#event(set, "Warning", "ConflictingController", `${text}, the retention policy is ignored for this claim`);
      }
      const owned = withOwners({ set, pod }, claim);
      if (owned !== undefined) await this.#context.client.update(resources.persistentvolumeclaims, owned, { namespace, signal });
    }
  }

  #knownClaims(set: ReadonlySet, pod: ReadonlyPod): readonly DeepReadonly<PersistentVolumeClaim>[] {
    return claimsOf(set, ordinalOf(pod)).flatMap(({ metadata }) => {
      const known = this.#claims.lister.get(metadata.namespace ?? "", metadata.name ?? "");
      return known === undefined ? [] : [known];
    });
  }

  #event(set: ReadonlySet, type: "Normal" | "Warning", reason: string, message: string): void {
    this.#context.recorder.event(set, type, reason, message);
  }
}
