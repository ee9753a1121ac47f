// What the config map with the cluster's certificate authority should be.
import type { ConfigMap } from "../../api/types/core/v1.ts";
import { type DeepReadonly, deepEqual } from "../../machinery/index.ts";

export const ROOT_CA_CONFIG_MAP = "kube-root-ca.crt";
const DESCRIPTION_ANNOTATION = "kubernetes.io/description";
const DESCRIPTION =
  "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.";

export type RootCaPlan = { readonly type: "none" } | { readonly type: "create" | "update"; readonly configMap: DeepReadonly<ConfigMap> };

/** `current`: what stands in the namespace. */
export function planRootCa(namespace: string, caPem: string, current: DeepReadonly<ConfigMap> | undefined): RootCaPlan {
  const data = { "ca.crt": caPem };
  const annotations = { [DESCRIPTION_ANNOTATION]: DESCRIPTION };
  if (current === undefined) {
    const metadata = { name: ROOT_CA_CONFIG_MAP, namespace, annotations };
    return { type: "create", configMap: { apiVersion: "v1", kind: "ConfigMap", metadata, data } };
  }
  const isDescribed = (current.metadata.annotations?.[DESCRIPTION_ANNOTATION] ?? "") !== "";
  if (deepEqual(current.data, data) && isDescribed) return { type: "none" };
  const metadata = { ...current.metadata, annotations: { ...current.metadata.annotations, ...annotations } };
  return { type: "update", configMap: { ...current, metadata, data } };
}
