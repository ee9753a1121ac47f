// Asks CSI drivers to attach volumes to the nodes of the pods that use them, and to take them off again.
import { resources } from "../../api/index.ts";
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod } from "../../api/types/core/v1.ts";
import type { CSIDriver, VolumeAttachment } from "../../api/types/storage/v1.ts";
import { type Informer, type ReconcileResult, WorkQueue } from "../../client/index.ts";
import { type DeepReadonly, deepEqual, isAlreadyExists, isNotFound } from "../../machinery/index.ts";
import { type Controller, type ControllerContext, keyedController } from "../controller.ts";
import { type AttachPlan, claimsOf, planNode, type Volume } from "./plan.ts";

const PODS_BY_NODE = "attach-detach/node";
const PODS_BY_CLAIM = "attach-detach/claim";
const BY_NODE = "attach-detach/attachments-of-node";
const BY_VOLUME = "attach-detach/attachments-of-volume";

/** @see kubernetes `pkg/controller/volume/attachdetach` */
export function attachDetachController(context: ControllerContext): Controller {
  const reconciler = new AttachDetachReconciler(context);
  return keyedController({
    name: "persistentvolume-attach-detach-controller",
    context,
    queue: reconciler.queue,
    reconcile: (nodeName, signal) => reconciler.reconcile(nodeName, signal),
  });
}

/** Keys are the names of nodes. */
class AttachDetachReconciler {
  readonly queue: WorkQueue<string>;
  readonly #context: ControllerContext;
  readonly #pods: Informer<Pod>;
  readonly #nodes: Informer<Node>;
  readonly #claims: Informer<PersistentVolumeClaim>;
  readonly #volumes: Informer<PersistentVolume>;
  readonly #drivers: Informer<CSIDriver>;
  readonly #attachments: Informer<VolumeAttachment>;

  constructor(context: ControllerContext) {
    const { informers, clock } = context;
    this.#context = context;
    this.queue = new WorkQueue({ clock });
    this.#pods = informers.informer(resources.pods);
    this.#nodes = informers.informer(resources.nodes);
    this.#claims = informers.informer(resources.persistentvolumeclaims);
    this.#volumes = informers.informer(resources.persistentvolumes);
    this.#drivers = informers.informer(resources.csidrivers);
    this.#attachments = informers.informer(resources.volumeattachments);
    this.#pods.addIndex(PODS_BY_NODE, (pod) => (claimsOf(pod).length === 0 ? [] : [pod.spec?.nodeName ?? ""]));
    this.#pods.addIndex(PODS_BY_CLAIM, (pod) => claimsOf(pod).map((name) => `${pod.metadata.namespace}/${name}`));
    this.#attachments.addIndex(BY_NODE, ({ spec }) => [spec.nodeName]);
    this.#attachments.addIndex(BY_VOLUME, ({ spec }) => (spec.source.persistentVolumeName ? [spec.source.persistentVolumeName] : []));
    this.#watch();
  }

  #watch(): void {
    const podChanged = (pod: DeepReadonly<Pod>) => {
      if (claimsOf(pod).length > 0) this.queue.add(pod.spec?.nodeName ?? "");
    };
    const attachmentChanged = ({ spec }: DeepReadonly<VolumeAttachment>) => {
      this.queue.add(spec.nodeName);
      // Another node may have waited for the volume.
      this.#addNodesOf(this.#volumes.lister.get("", spec.source.persistentVolumeName ?? ""));
    };
    const nodeChanged = ({ metadata: { name = "" } }: DeepReadonly<Node>) => {
      if (this.#attachments.lister.byIndex(BY_NODE, name).length > 0 || this.#pods.lister.byIndex(PODS_BY_NODE, name).length > 0)
        this.queue.add(name);
    };
    const usersOf = (claim: DeepReadonly<PersistentVolumeClaim>) => {
      for (const { spec } of this.#usersOf(claim.metadata.namespace, claim.metadata.name)) this.queue.add(spec?.nodeName ?? "");
    };
    this.#pods.onChange({
      added: podChanged,
      updated: (old, pod) => {
        podChanged(old);
        podChanged(pod);
      },
      deleted: podChanged,
    });
    this.#attachments.onChange({ added: attachmentChanged, updated: (_, one) => attachmentChanged(one), deleted: attachmentChanged });
    this.#nodes.onChange({
      added: nodeChanged,
      updated: (old, node) => {
        if (old.spec !== node.spec || !deepEqual(old.status?.volumesInUse, node.status?.volumesInUse) || readiness(old) !== readiness(node))
          nodeChanged(node);
      },
      deleted: nodeChanged,
    });
    this.#claims.onChange({ added: usersOf, updated: (_, claim) => usersOf(claim) });
    this.#volumes.onChange({ added: (volume) => this.#addNodesOf(volume) });
    this.#drivers.onChange({
      added: () => {
        for (const { metadata } of this.#nodes.lister.list()) this.queue.add(metadata.name ?? "");
      },
    });
  }

  async reconcile(nodeName: string, signal: AbortSignal): Promise<ReconcileResult | undefined> {
    const volumeOf = (name: string) => this.#volumes.lister.get("", name);
    const node = this.#nodes.lister.get("", nodeName);
    const plan = planNode(
      {
        nodeName,
        node,
        wanted: this.#wanted(nodeName),
        attachments: this.#attachments.lister.byIndex(BY_NODE, nodeName),
        attachedElsewhere: (volume) => this.#attachments.lister.byIndex(BY_VOLUME, volume).some(({ spec }) => spec.nodeName !== nodeName),
        nowMs: this.#context.clock.now(),
      },
      volumeOf,
    );
    await this.#carryOut(plan, signal);
    for (const volumeName of plan.blocked) this.#tellBlocked(nodeName, volumeName);
    if (node !== undefined && !deepEqual(node.status?.volumesAttached ?? [], plan.volumesAttached)) {
      const status = { ...node.status, volumesAttached: plan.volumesAttached };
      await this.#context.client.update(resources.nodes, { ...node, status }, { subresource: "status", signal });
    }
    return plan.lookAgainMs === undefined ? undefined : { requeueAfterMs: plan.lookAgainMs };
  }

  async #carryOut(plan: AttachPlan, signal: AbortSignal): Promise<void> {
    const { client } = this.#context;
    for (const attachment of plan.create) {
      await client.create(resources.volumeattachments, attachment, { signal }).catch((error: unknown) => {
        if (!isAlreadyExists(error)) throw error;
      });
    }
    for (const name of plan.delete) {
      await client.delete(resources.volumeattachments, name, { signal }).catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
    }
  }

  #tellBlocked(nodeName: string, volumeName: string): void {
    const message = `Multi-Attach error for volume "${volumeName}" Volume is already exclusively attached to one node and can't be attached to another`;
    for (const pod of this.#pods.lister.byIndex(PODS_BY_NODE, nodeName)) {
      if (this.#volumesOf(pod).some(({ metadata }) => metadata.name === volumeName)) {
        this.#context.recorder.event(pod, "Warning", "FailedAttachVolume", message);
      }
    }
  }

  /** Volumes of drivers that have to attach them. */
  #wanted(nodeName: string): readonly Volume[] {
    const volumes = this.#pods.lister.byIndex(PODS_BY_NODE, nodeName).flatMap((pod) => this.#volumesOf(pod));
    return [...new Set(volumes)].filter(({ spec }) => {
      const driver = this.#drivers.lister.get("", spec?.csi?.driver ?? "");
      return spec?.csi !== undefined && driver?.spec.attachRequired !== false;
    });
  }

  #volumesOf(pod: DeepReadonly<Pod>): readonly Volume[] {
    return claimsOf(pod).flatMap((name) => {
      const claim = this.#claims.lister.get(pod.metadata.namespace ?? "", name);
      return this.#volumes.lister.get("", claim?.spec?.volumeName ?? "") ?? [];
    });
  }

  #addNodesOf(volume: Volume | undefined): void {
    const { namespace, name } = volume?.spec?.claimRef ?? {};
    for (const { spec } of this.#usersOf(namespace, name)) this.queue.add(spec?.nodeName ?? "");
  }

  #usersOf(namespace: string | undefined, claim: string | undefined): readonly DeepReadonly<Pod>[] {
    return this.#pods.lister.byIndex(PODS_BY_CLAIM, `${namespace}/${claim}`);
  }
}

function readiness({ status }: DeepReadonly<Node>): string | undefined {
  return status?.conditions?.find(({ type }) => type === "Ready")?.status;
}
