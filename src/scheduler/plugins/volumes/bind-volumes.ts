// Carries out a plan for a pod's volumes, and waits until the controller has bound them all.
import { boundVolume, type Claim, resources, SELECTED_NODE } from "../../../api/index.ts";
import type { PersistentVolumeClaim } from "../../../api/types/core/v1.ts";
import { objectKey } from "../../../machinery/index.ts";
import type { PluginContext } from "../registry.ts";
import { isFullyBound } from "./claims-of-pod.ts";
import type { VolumePlan } from "./plan-volumes.ts";

type Shell = Pick<PluginContext, "client" | "clock" | "informers">;

export interface Binding {
  readonly plan: VolumePlan;
  readonly nodeName: string;
  readonly timeoutMs: number;
}

/** Throws when an update is refused, provisioning fails, or it takes too long. */
export async function bindVolumes(shell: Shell, { plan, nodeName, timeoutMs }: Binding, signal: AbortSignal): Promise<void> {
  for (const { claim, volume } of plan.bindings) {
    const wanted = boundVolume(volume, claim);
    if (wanted !== undefined) await shell.client.update(resources.persistentvolumes, wanted, { signal });
  }
  for (const claim of plan.provisions) {
    if (claim.metadata.annotations?.[SELECTED_NODE] === nodeName) continue;
    const { namespace, name = "", uid } = claim.metadata;
    const patch = { metadata: { uid, annotations: { [SELECTED_NODE]: nodeName } } };
    await shell.client.patch(resources.persistentvolumeclaims, name, patch, { namespace, type: "application/merge-patch+json", signal });
  }
  await allBound(shell, { plan, nodeName, timeoutMs }, signal);
}

async function allBound({ informers, clock }: Shell, { plan, nodeName, timeoutMs }: Binding, signal: AbortSignal): Promise<void> {
  const provisions = new Set(plan.provisions.map(objectKey));
  const unbound = new Set([...plan.bindings.map(({ claim }) => objectKey(claim)), ...provisions]);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const selected = new Set<string>();
  const see = (claim: Claim) => {
    const key = objectKey(claim);
    if (!unbound.has(key)) return;
    const isSelected = claim.metadata.annotations?.[SELECTED_NODE] === nodeName;
    if (isSelected) selected.add(key);
    if (isFullyBound(claim)) unbound.delete(key);
    // A provisioner that fails takes the annotation away.
    else if (provisions.has(key) && !isSelected && selected.has(key))
      reject(new Error(`provisioning failed for PVC "${claim.metadata.name}"`));
    if (unbound.size === 0) resolve();
  };
  const stop = informers.informer<PersistentVolumeClaim>(resources.persistentvolumeclaims).onChange({
    added: see,
    updated: (_, claim) => see(claim),
    deleted: (claim) => unbound.has(objectKey(claim)) && reject(new Error(`persistentvolumeclaim "${claim.metadata.name}" not found`)),
  });
  const timer = clock.setTimeout(() => reject(new Error("binding volumes: context deadline exceeded")), timeoutMs);
  const aborted = () => reject(signal.reason);
  signal.addEventListener("abort", aborted, { once: true });
  try {
    await promise;
  } finally {
    stop();
    timer.cancel();
    signal.removeEventListener("abort", aborted);
  }
}
