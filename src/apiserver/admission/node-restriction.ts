// NodeRestriction: a node agent changes its own Node, Lease and CSINode, and the pods that are bound to it; nothing else.
import { type DeepReadonly, deepEqual, forbidden, type KubeObject } from "../../machinery/index.ts";
import { fieldOf } from "../registry/draft.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./admission.ts";
import { type ClusterView, lookUpCached } from "./cluster-view.ts";
import { isMirrorPod } from "./pod-fields.ts";

const NODE_USER_PREFIX = "system:node:";
const NODE_GROUP = "system:nodes";
const RESTRICTED_LABEL = "node-restriction.kubernetes.io/";

type Check = (request: AdmissionRequest, nodeName: string, view: ClusterView) => void;

/** By `group/plural`. */
const checks: Readonly<Record<string, Check>> = {
  "/nodes": checkNode,
  "/pods": checkPod,
  "/serviceaccounts": checkToken,
  "coordination.k8s.io/leases": checkLease,
  "storage.k8s.io/csinodes": (request, nodeName) => checkOwnName(request, nodeName, "CSINode"),
};

export class NodeRestriction implements AdmissionPlugin {
  readonly name = "NodeRestriction";
  readonly resources = Object.keys(checks);
  readonly #view: ClusterView;

  constructor(view: ClusterView) {
    this.#view = view;
  }

  validate(request: AdmissionRequest): void {
    const { user, resource } = request.scope;
    if (!user.name.startsWith(NODE_USER_PREFIX) || !user.groups.includes(NODE_GROUP)) return;
    checks[`${resource.group}/${resource.resource}`]?.(request, user.name.slice(NODE_USER_PREFIX.length), this.#view);
  }
}

function nameOf({ scope, object }: AdmissionRequest): string {
  return scope.name === "" ? (object?.metadata.name ?? "") : scope.name;
}

function refuse(request: AdmissionRequest, why: string): never {
  throw forbidden(request.scope.resource, nameOf(request), why);
}

function checkNode(request: AdmissionRequest, nodeName: string): void {
  const name = nameOf(request);
  if (name !== nodeName) refuse(request, `node "${nodeName}" is not allowed to modify node "${name}"`);
  const { object, old, operation } = request;
  if (object === undefined) return;
  const labels = restrictedLabels(object);
  if (!deepEqual(labels, old === undefined ? {} : restrictedLabels(old))) {
    refuse(request, `is not allowed to modify labels: ${Object.keys(labels).join(", ")}`);
  }
  const taints = (node: object | undefined) => (node === undefined ? undefined : (fieldOf(node, "spec") as { taints?: unknown })?.taints);
  if (operation === "UPDATE" && !deepEqual(taints(object), taints(old)))
    refuse(request, `node "${nodeName}" is not allowed to modify taints`);
}

function restrictedLabels({ metadata }: DeepReadonly<KubeObject>): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata.labels ?? {}).filter(([key]) => key.includes(RESTRICTED_LABEL)));
}

function checkPod(request: AdmissionRequest, nodeName: string, view: ClusterView): void {
  const { scope, operation, object } = request;
  if (operation === "CREATE" && scope.subresource === "" && object !== undefined) {
    if (!isMirrorPod(object))
      refuse(request, `pod does not have "kubernetes.io/config.mirror" annotation, node "${nodeName}" can only create mirror pods`);
    if (boundNode(object) !== nodeName) refuse(request, `node "${nodeName}" can only create pods with spec.nodeName set to itself`);
    return;
  }
  const pod = request.old ?? lookUpCached(view, "core/pods", `${scope.namespace}/${scope.name}`);
  if (pod === undefined || boundNode(pod) === nodeName) return;
  const verb = operation === "DELETE" ? "delete" : scope.subresource === "eviction" ? "evict" : "update status for";
  refuse(request, `node "${nodeName}" can only ${verb} pods with spec.nodeName set to itself`);
}

function boundNode(pod: object): string | undefined {
  return (fieldOf(pod, "spec") as { readonly nodeName?: string } | undefined)?.nodeName;
}

function checkToken(request: AdmissionRequest, nodeName: string, view: ClusterView): void {
  const { scope, object } = request;
  if (scope.subresource !== "token" || object === undefined) return;
  const reference = (object["spec"] as { readonly boundObjectRef?: { kind?: string; name?: string; uid?: string } } | undefined)
    ?.boundObjectRef;
  if (reference?.kind !== "Pod" || reference.name === undefined) refuse(request, "node requested token not bound to a pod");
  const pod = lookUpCached(view, "core/pods", `${scope.namespace}/${reference.name}`);
  if (pod !== undefined && boundNode(pod) !== nodeName)
    refuse(request, `node requested token bound to a pod scheduled on a different node`);
}

function checkLease(request: AdmissionRequest, nodeName: string): void {
  if (request.scope.namespace !== "kube-node-lease") {
    refuse(request, `can only access leases in the "kube-node-lease" system namespace`);
  }
  checkOwnName(request, nodeName, "lease");
}

function checkOwnName(request: AdmissionRequest, nodeName: string, what: string): void {
  if (nameOf(request) !== nodeName) refuse(request, `can only access ${what} with the same name as the requesting node`);
}
