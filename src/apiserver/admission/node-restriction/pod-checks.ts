// What a node may do with pods: show those that it runs by itself (mirror pods), report on those bound to it, and evict them.
import { podReferences } from "../../../api/index.ts";
import type { Node, Pod } from "../../../api/types/core/v1.ts";
import { type DeepReadonly, deepEqual, notFound } from "../../../machinery/index.ts";
import type { AdmissionRequest } from "../admission.ts";
import { type ClusterView, lookUpCached } from "../cluster-view.ts";
import { isMirrorPod, pods } from "../pod-fields.ts";

const MIRROR_ANNOTATION = "kubernetes.io/config.mirror";

/** Why not; undefined when it may. */
export function checkPod(request: AdmissionRequest, nodeName: string, view: ClusterView): string | undefined {
  switch (request.scope.subresource) {
    case "":
      return checkMirror(request, nodeName, view);
    case "status":
      return checkStatus(request, nodeName);
    case "eviction":
      return boundElsewhere(existing(request, view), nodeName, "evict pods");
    default:
      return `unexpected pod subresource "${request.scope.subresource}", only 'status' and 'eviction' are allowed`;
  }
}

function checkMirror(request: AdmissionRequest, nodeName: string, view: ClusterView): string | undefined {
  const { operation, object } = request;
  if (operation === "DELETE") return boundElsewhere(existing(request, view), nodeName, "delete pods");
  if (operation !== "CREATE" || object === undefined) {
    return `unexpected operation "${operation}", node "${nodeName}" can only create and delete mirror pods`;
  }
  if (!isMirrorPod(object)) return `pod does not have "${MIRROR_ANNOTATION}" annotation, node "${nodeName}" can only create mirror pods`;
  const pod = object as unknown as Pod;
  if (pod.spec?.nodeName !== nodeName) return `node "${nodeName}" can only create pods with spec.nodeName set to itself`;
  return checkOwner(pod, nodeName, view) ?? checkReferences(pod, nodeName);
}

function checkOwner({ metadata }: Pod, nodeName: string, view: ClusterView): string | undefined {
  const can = `node "${nodeName}" can only create pods with`;
  const [owner, ...others] = metadata.ownerReferences ?? [];
  if (others.length > 0) return `${can} a single owner reference set to itself`;
  if (owner?.apiVersion !== "v1" || owner.kind !== "Node" || owner.name !== nodeName) return `${can} an owner reference set to itself`;
  if (owner.controller !== true) return `${can} a controller owner reference set to itself`;
  if (owner.blockOwnerDeletion === true) return `node "${nodeName}" must not set blockOwnerDeletion on an owner reference`;
  const node = lookUpCached<Node>(view, "core/nodes", nodeName);
  if (node === undefined) throw notFound({ group: "", resource: "nodes" }, nodeName);
  if (owner.uid !== node.metadata.uid) return `node ${nodeName} UID mismatch: expected ${owner.uid} got ${node.metadata.uid}`;
  return undefined;
}

/** By a pod a node could get at what the pod refers to. */
function checkReferences(pod: Pod, nodeName: string): string | undefined {
  const cannot = `node "${nodeName}" can not create pods that reference`;
  if ((pod.spec?.serviceAccountName ?? "") !== "") return `${cannot} a service account`;
  const { secrets, configMaps, claims, trustBundles, certificates } = podReferences(pod);
  if (secrets.length > 0) return `${cannot} secrets`;
  if (configMaps.length > 0) return `${cannot} configmaps`;
  if (trustBundles) return `${cannot} clustertrustbundles`;
  if (certificates) return `${cannot} podcertificates`;
  if (claims.length > 0) return `${cannot} persistentvolumeclaims`;
  return (pod.spec?.resourceClaims ?? []).length > 0 ? `${cannot} resourceclaims` : undefined;
}

function checkStatus({ operation, object, old }: AdmissionRequest, nodeName: string): string | undefined {
  if (operation !== "UPDATE" || object === undefined || old === undefined) return `unexpected operation "${operation}"`;
  const [now, before] = [object as unknown as Pod, old as DeepReadonly<Pod>];
  const elsewhere = boundElsewhere(before, nodeName, "update pod status for pods");
  if (elsewhere !== undefined) return elsewhere;
  if (!deepEqual(now.metadata.labels ?? {}, before.metadata.labels ?? {})) {
    return `node "${nodeName}" cannot update labels through pod status`;
  }
  const claims = (pod: DeepReadonly<Pod>) => pod.status?.resourceClaimStatuses ?? [];
  return deepEqual(claims(now), claims(before)) ? undefined : `node "${nodeName}" cannot update resource claim statuses`;
}

function boundElsewhere(pod: DeepReadonly<Pod>, nodeName: string, what: string): string | undefined {
  if (pod.spec?.nodeName === nodeName) return undefined;
  return `node "${nodeName}" can only ${what} with spec.nodeName set to itself`;
}

function existing({ scope, old }: AdmissionRequest, view: ClusterView): DeepReadonly<Pod> {
  const pod = (old as DeepReadonly<Pod> | undefined) ?? lookUpCached<Pod>(view, "core/pods", `${scope.namespace}/${scope.name}`);
  if (pod === undefined) throw notFound(pods, scope.name);
  return pod;
}

interface TokenRequest {
  readonly spec?: {
    readonly boundObjectRef?: {
      readonly kind?: string;
      readonly apiVersion?: string;
      readonly name?: string;
      readonly uid?: string;
    };
  };
}

/** A node gets tokens for its pods, and only for them. */
export function checkToken({ scope, object, operation }: AdmissionRequest, nodeName: string, view: ClusterView): string | undefined {
  if (operation !== "CREATE" || scope.subresource !== "token") return undefined;
  const { kind, apiVersion = "v1", name = "", uid = "" } = (object as TokenRequest | undefined)?.spec?.boundObjectRef ?? {};
  if (kind !== "Pod" || apiVersion !== "v1" || name === "") return "node requested token not bound to a pod";
  if (uid === "") return "node requested token with a pod binding without a uid";
  const pod = lookUpCached<Pod>(view, "core/pods", `${scope.namespace}/${name}`);
  if (pod === undefined) throw notFound(pods, name);
  if (pod.metadata.uid !== uid) {
    return `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`;
  }
  return pod.spec?.nodeName === nodeName ? undefined : "node requested token bound to a pod scheduled on a different node";
}
