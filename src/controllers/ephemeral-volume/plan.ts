// The claims that a pod's ephemeral volumes need. Pure.
import { ephemeralClaimName } from "../../api/index.ts";
import type { PersistentVolumeClaim, Pod } from "../../api/types/core/v1.ts";
import { isControlledBy, newControllerRef } from "../../client/index.ts";
import type { DeepReadonly } from "../../machinery/index.ts";

export type EphemeralPlan =
  | { readonly type: "create"; readonly claim: PersistentVolumeClaim }
  /** The name is taken by a claim that is not the pod's. */
  | { readonly type: "taken"; readonly message: string };

/** `find` answers the claim of a name in the pod's namespace. */
export function planEphemeralClaims(
  pod: DeepReadonly<Pod>,
  find: (name: string) => DeepReadonly<PersistentVolumeClaim> | undefined,
): readonly EphemeralPlan[] {
  if (pod.metadata.deletionTimestamp !== undefined) return [];
  return (pod.spec?.volumes ?? []).flatMap((volume): EphemeralPlan[] => {
    const template = volume.ephemeral?.volumeClaimTemplate;
    if (template === undefined) return [];
    const name = ephemeralClaimName(pod, volume.name);
    const known = find(name);
    if (known === undefined) return [{ type: "create", claim: claimOf(pod, name, template) }];
    if (isControlledBy(known, pod)) return [];
    const { namespace } = pod.metadata;
    return [
      {
        type: "taken",
        message: `PVC "${namespace}/${name}" was not created for pod "${namespace}/${pod.metadata.name}" (pod is not owner)`,
      },
    ];
  });
}

type Template = NonNullable<
  NonNullable<NonNullable<NonNullable<DeepReadonly<Pod>["spec"]>["volumes"]>[number]["ephemeral"]>["volumeClaimTemplate"]
>;

function claimOf(pod: DeepReadonly<Pod>, name: string, { metadata, spec }: Template): PersistentVolumeClaim {
  const { labels, annotations } = metadata ?? {};
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: {
      name,
      namespace: pod.metadata.namespace,
      ...(labels === undefined ? {} : { labels: { ...labels } }),
      ...(annotations === undefined ? {} : { annotations: { ...annotations } }),
      ownerReferences: [newControllerRef(pod, { apiVersion: "v1", kind: "Pod" })],
    },
    spec: spec as PersistentVolumeClaim["spec"],
  };
}
