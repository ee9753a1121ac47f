// The provisioner of the default storage class: makes volumes for claims whose node is known, and deletes released ones.
// The directories are their node's business (`node/volumes/local-path.ts`).
import { type Claim, claimClass, resources, SELECTED_NODE, type Volume } from "../../api/index.ts";
import type { Node, PersistentVolume, PersistentVolumeClaim } from "../../api/types/core/v1.ts";
import type { StorageClass } from "../../api/types/storage/v1.ts";
import { type Informer, WorkQueue } from "../../client/index.ts";
import { isAlreadyExists, isNotFound, objectKey, splitKey } from "../../machinery/index.ts";
import { type Controller, type ControllerContext, keyedController } from "../controller.ts";
import { isOurs, isToDelete, LOCAL_PATH_PROVISIONER, planProvision, volumeNameOf } from "./plan.ts";

export function localPathController(context: ControllerContext): Controller {
  const provisioner = new LocalPathProvisioner(context);
  return keyedController({
    name: "local-path-provisioner",
    context,
    queue: provisioner.queue,
    reconcile: async (key, signal) => {
      if (key.includes("/")) await provisioner.provision(key, signal);
      else await provisioner.remove(key, signal);
      return undefined;
    },
  });
}

/** Keys are those of claims, which have a namespace, and of volumes, which have none. */
class LocalPathProvisioner {
  readonly queue: WorkQueue<string>;
  readonly #context: ControllerContext;
  readonly #claims: Informer<PersistentVolumeClaim>;
  readonly #volumes: Informer<PersistentVolume>;
  readonly #classes: Informer<StorageClass>;
  readonly #nodes: Informer<Node>;

  constructor(context: ControllerContext) {
    const { informers, clock } = context;
    this.#context = context;
    this.queue = new WorkQueue({ clock });
    this.#claims = informers.informer(resources.persistentvolumeclaims);
    this.#volumes = informers.informer(resources.persistentvolumes);
    this.#classes = informers.informer(resources.storageclasses);
    this.#nodes = informers.informer(resources.nodes);
    const claimChanged = (claim: Claim) => {
      if (isOurs(claim)) this.queue.add(objectKey(claim));
    };
    const volumeChanged = (volume: Volume) => {
      if (isToDelete(volume)) this.queue.add(volume.metadata.name ?? "");
    };
    this.#claims.onChange({ added: claimChanged, updated: (_, claim) => claimChanged(claim) });
    this.#volumes.onChange({ added: volumeChanged, updated: (_, volume) => volumeChanged(volume) });
  }

  async provision(key: string, signal: AbortSignal): Promise<void> {
    const { namespace, name } = splitKey(key);
    const { client, recorder } = this.#context;
    const claim = this.#claims.lister.get(namespace, name);
    if (claim === undefined || !isOurs(claim)) return;
    if (this.#volumes.lister.get("", volumeNameOf(claim)) !== undefined) return;
    const storageClass = this.#classes.lister.get("", claimClass(claim) ?? "");
    if (storageClass === undefined || storageClass.provisioner !== LOCAL_PATH_PROVISIONER) return;
    const node = this.#nodes.lister.get("", claim.metadata.annotations?.[SELECTED_NODE] ?? "");
    const plan = planProvision(claim, storageClass, node);
    if (plan.type === "fail") {
      const message = `failed to provision volume with StorageClass "${storageClass.metadata.name}": ${plan.message}`;
      recorder.event(claim, "Warning", "ProvisioningFailed", message);
      return;
    }
    try {
      await client.create(resources.persistentvolumes, plan.volume, { signal });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
    recorder.event(claim, "Normal", "ProvisioningSucceeded", `Successfully provisioned volume ${plan.volume.metadata.name}`);
  }

  async remove(name: string, signal: AbortSignal): Promise<void> {
    const volume = this.#volumes.lister.get("", name);
    if (volume === undefined || !isToDelete(volume)) return;
    const { uid, resourceVersion } = volume.metadata;
    try {
      // Were it bound anew meanwhile, it would be another version.
      const preconditions = { ...(uid === undefined ? {} : { uid }), ...(resourceVersion === undefined ? {} : { resourceVersion }) };
      await this.#context.client.delete(resources.persistentvolumes, name, { options: { preconditions }, signal });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}
