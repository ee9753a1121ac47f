// Which objects a pod's spec refers to.
import type { DeepReadonly } from "../machinery/index.ts";
import type { Pod } from "./types/core/v1.ts";

/** Names in the pod's namespace, each as often as it is referred to. */
export interface PodReferences {
  readonly secrets: readonly string[];
  readonly configMaps: readonly string[];
  /** PersistentVolumeClaims; those made for ephemeral volumes are not among them. */
  readonly claims: readonly string[];
  /** Whether something is projected from ClusterTrustBundles, and whether certificates and tokens are. */
  readonly trustBundles: boolean;
  readonly certificates: boolean;
  readonly tokens: boolean;
}

export function podReferences({ spec }: DeepReadonly<Pick<Pod, "spec">>): PodReferences {
  const secrets: (string | undefined)[] = (spec?.imagePullSecrets ?? []).map(({ name }) => name);
  const configMaps: (string | undefined)[] = [];
  for (const container of [...(spec?.initContainers ?? []), ...(spec?.containers ?? []), ...(spec?.ephemeralContainers ?? [])]) {
    for (const { configMapRef, secretRef } of container.envFrom ?? []) {
      configMaps.push(configMapRef?.name);
      secrets.push(secretRef?.name);
    }
    for (const { valueFrom } of container.env ?? []) {
      configMaps.push(valueFrom?.configMapKeyRef?.name);
      secrets.push(valueFrom?.secretKeyRef?.name);
    }
  }
  const volumes = spec?.volumes ?? [];
  const projected = volumes.flatMap((volume) => volume.projected?.sources ?? []);
  for (const { configMap, secret, csi } of volumes) {
    configMaps.push(configMap?.name);
    secrets.push(secret?.secretName, csi?.nodePublishSecretRef?.name);
  }
  for (const { configMap, secret } of projected) {
    configMaps.push(configMap?.name);
    secrets.push(secret?.name);
  }
  return {
    secrets: secrets.filter(isName),
    configMaps: configMaps.filter(isName),
    claims: volumes.map(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName).filter(isName),
    trustBundles: projected.some(({ clusterTrustBundle }) => clusterTrustBundle !== undefined),
    certificates: projected.some(({ podCertificate }) => podCertificate !== undefined),
    tokens: projected.some(({ serviceAccountToken }) => serviceAccountToken !== undefined),
  };
}

function isName(name: string | undefined): name is string {
  return name !== undefined && name !== "";
}
