// Pods from a template, as a controller makes them.
import type { Pod, PodTemplateSpec } from "../api/types/core/v1.ts";
import type { DeepReadonly, KubeObject, OwnerReference } from "../machinery/index.ts";

/** A pod named by the server after `owner`, which `controllerRef` points to. */
export function podFromTemplate(
  template: DeepReadonly<PodTemplateSpec>,
  owner: DeepReadonly<KubeObject>,
  controllerRef: OwnerReference,
): DeepReadonly<Pod> {
  const { labels, annotations, finalizers } = template.metadata ?? {};
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      generateName: `${owner.metadata.name}-`,
      namespace: owner.metadata.namespace,
      labels,
      annotations,
      finalizers,
      ownerReferences: [controllerRef],
    },
    spec: template.spec,
  };
}
