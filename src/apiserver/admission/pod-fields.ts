// The parts of a pod that admission looks at and changes.
import type { Draft } from "../registry/draft.ts";
import type { AdmissionRequest } from "./admission.ts";

export interface Toleration {
  key?: string;
  operator?: string;
  effect?: string;
  tolerationSeconds?: number;
}

export interface VolumeMount {
  name: string;
  mountPath: string;
  readOnly?: boolean;
}

export interface Container {
  readonly name: string;
  volumeMounts?: VolumeMount[];
  resources?: { limits?: Record<string, string>; requests?: Record<string, string> };
}

export interface PodSpec {
  nodeName?: string;
  serviceAccountName?: string;
  serviceAccount?: string;
  automountServiceAccountToken?: boolean;
  imagePullSecrets?: { name?: string }[];
  volumes?: ({ name: string } & Record<string, unknown>)[];
  containers?: Container[];
  initContainers?: Container[];
  tolerations?: Toleration[];
  priorityClassName?: string;
  priority?: number;
  preemptionPolicy?: string;
  runtimeClassName?: string;
  overhead?: Record<string, string>;
  nodeSelector?: Record<string, string>;
}

/** The spec of a pod about to be created; undefined for all other requests. */
export function createdPodSpec({ operation, scope, object }: AdmissionRequest): PodSpec | undefined {
  return operation === "CREATE" && scope.subresource === "" && object !== undefined ? podSpec(object) : undefined;
}

export function podSpec(object: Draft): PodSpec {
  return (object["spec"] ??= {}) as PodSpec;
}

const MIRROR_ANNOTATION = "kubernetes.io/config.mirror";

/** Mirror pods show what a node runs by itself. */
export function isMirrorPod(object: {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> | undefined };
}): boolean {
  return object.metadata.annotations?.[MIRROR_ANNOTATION] !== undefined;
}

export const pods = { group: "", resource: "pods" };
