// Static pods: what a manifest file means as a pod of this node, and the mirror pod that shows it in the API. Pure.
import { createHash } from "node:crypto";
import { parse } from "yaml";
import { builtInCatalog, type KindStrategy } from "../../api/index.ts";
import type { Node, Pod } from "../../api/types/core/v1.ts";
import { type DeepReadonly, fieldErrorMessage } from "../../machinery/index.ts";
import type { PodObject } from "../pod/pod-object.ts";

const SOURCE_ANNOTATION = "kubernetes.io/config.source";
const HASH_ANNOTATION = "kubernetes.io/config.hash";
const MIRROR_ANNOTATION = "kubernetes.io/config.mirror";

/** A manifest that makes no pod; the message says why. */
export class ManifestError extends Error {
  readonly code = "MANIFEST";
}

let podStrategy: KindStrategy<Pod> | undefined;

function strategy(): KindStrategy<Pod> {
  podStrategy ??= builtInCatalog().find("", "v1", "pods")?.strategy as KindStrategy<Pod>;
  return podStrategy;
}

/** The pod of a manifest in YAML or JSON; its uid changes with its content. @throws ManifestError */
export function staticPod(text: string, path: string, nodeName: string): PodObject {
  const pod = parsed(text);
  const uid = createHash("sha256").update(`${nodeName}\n${path}\n${text}`).digest("hex").slice(0, 32);
  const { name = "", namespace = "default", labels, annotations } = pod.metadata;
  pod.metadata = {
    name: `${name}-${nodeName.toLowerCase()}`,
    namespace,
    uid,
    ...(labels === undefined ? {} : { labels }),
    annotations: { ...annotations, [SOURCE_ANNOTATION]: "file", [HASH_ANNOTATION]: uid },
  };
  strategy().applyDefaults?.(pod);
  const spec = { ...pod.spec, containers: pod.spec?.containers ?? [], nodeName };
  // Whatever happens to the node, what was put on it by hand stays.
  pod.spec = { ...spec, tolerations: [...(spec.tolerations ?? []), { operator: "Exists", effect: "NoExecute" }] };
  const [error] = strategy().validate?.(pod) ?? [];
  if (error !== undefined) throw new ManifestError(`invalid pod: ${fieldErrorMessage(error)}`);
  return { ...pod, status: { phase: "Pending" } };
}

function parsed(text: string): Pod {
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    throw new ManifestError(`couldn't parse as pod: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  const { kind, metadata } = (value ?? {}) as { readonly kind?: string; readonly metadata?: { readonly name?: string } };
  if (kind !== "Pod" || metadata?.name === undefined) throw new ManifestError("couldn't parse as pod: it has no kind Pod or no name");
  return value as Pod;
}

export function isMirrorPod(pod: PodObject): boolean {
  return pod.metadata.annotations?.[MIRROR_ANNOTATION] !== undefined;
}

/** The object that shows a static pod in the API. */
export function mirrorOf(pod: PodObject, node: DeepReadonly<Node> | undefined): PodObject {
  const { name, namespace, labels, annotations, uid = "" } = pod.metadata;
  const owner = { apiVersion: "v1", kind: "Node", name: pod.spec?.nodeName ?? "", uid: node?.metadata.uid ?? "", controller: true };
  const metadata = {
    ...{ name, namespace },
    ...(labels === undefined ? {} : { labels }),
    annotations: { ...annotations, [MIRROR_ANNOTATION]: uid },
    ownerReferences: [owner],
  };
  return { apiVersion: "v1", kind: "Pod", metadata, spec: pod.spec };
}

/** Whether `mirror` shows this static pod, and not an earlier one of its name or one that is going. */
export function isMirrorOf(mirror: PodObject, pod: PodObject | undefined): boolean {
  return mirror.metadata.annotations?.[MIRROR_ANNOTATION] === pod?.metadata.uid && mirror.metadata.deletionTimestamp === undefined;
}

/** What a mirror pod needs, given the static pod of its name. */
export function planMirror(pod: PodObject | undefined, mirror: PodObject | undefined): "create" | "delete" | "keep" {
  if (mirror === undefined) return pod === undefined ? "keep" : "create";
  return isMirrorOf(mirror, pod) ? "keep" : "delete";
}
