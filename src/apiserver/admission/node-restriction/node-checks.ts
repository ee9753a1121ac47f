// What a node may do with the objects that are about itself: its Node, Lease, CSINode, ResourceSlices, and with the status
// of the claims that its pods use.
import type { Node, PersistentVolumeClaim } from "../../../api/types/core/v1.ts";
import type { ResourceSlice } from "../../../api/types/resource/v1.ts";
import { type DeepReadonly, deepEqual } from "../../../machinery/index.ts";
import type { AdmissionRequest } from "../admission.ts";
import { nameOfRequest } from "../matching/request-identity.ts";
import { forbiddenLabels } from "./node-labels.ts";

/** Why the node `nodeName` may not make the request; undefined when it may. */
export type NodeCheck = (request: AdmissionRequest, nodeName: string) => string | undefined;

export const checkNode: NodeCheck = (request, nodeName) => {
  const name = nameOfRequest(request);
  if (name !== nodeName) return `node "${nodeName}" is not allowed to modify node "${name}"`;
  const { object, old, operation } = request;
  if (object === undefined) return undefined;
  const labels = forbiddenLabels(object, old);
  const { taints, configSource } = (object as unknown as Node).spec ?? {};
  if (operation === "CREATE") {
    if (configSource !== undefined) return `node "${nodeName}" is not allowed to create pods with a non-nil configSource`;
    return labels.length > 0 ? `node "${nodeName}" is not allowed to set the following labels: ${labels.join(", ")}` : undefined;
  }
  const before = (old as DeepReadonly<Node> | undefined)?.spec;
  if (configSource !== undefined && !deepEqual(configSource, before?.configSource)) {
    return `node "${nodeName}" is not allowed to update configSource to a new non-nil configSource`;
  }
  if (!deepEqual(taints ?? [], before?.taints ?? [])) return `node "${nodeName}" is not allowed to modify taints`;
  return labels.length > 0 ? `is not allowed to modify labels: ${labels.join(", ")}` : undefined;
};

export const checkLease: NodeCheck = (request, nodeName) => {
  if (request.scope.namespace !== "kube-node-lease") return `can only access leases in the "kube-node-lease" system namespace`;
  return nameOfRequest(request) === nodeName ? undefined : "can only access node lease with the same name as the requesting node";
};

export const checkCsiNode: NodeCheck = (request, nodeName) =>
  nameOfRequest(request) === nodeName ? undefined : "can only access CSINode with the same name as the requesting node";

export const checkResourceSlice: NodeCheck = ({ operation, object, old }, nodeName) => {
  const slice = (operation === "DELETE" ? old : object) as DeepReadonly<ResourceSlice> | undefined;
  if ((operation !== "CREATE" && operation !== "DELETE") || slice?.spec.nodeName === nodeName) return undefined;
  const verb = operation === "CREATE" ? "create" : "delete";
  return `can only ${verb} ResourceSlice with the same NodeName as the requesting node`;
};

/** How far a claim's expansion has come is all that a node may tell. */
export const checkClaim: NodeCheck = ({ operation, scope, object, old }, nodeName) => {
  if (scope.subresource !== "status") return "may only update PVC status";
  if (operation !== "UPDATE" || object === undefined || old === undefined) return `unexpected operation "${operation}"`;
  const fixed = ({ metadata, status, ...rest }: DeepReadonly<PersistentVolumeClaim>) => {
    const { resourceVersion: _version, managedFields: _fields, ...kept } = metadata;
    const {
      capacity: _capacity,
      conditions: _conditions,
      allocatedResources: _allocated,
      allocatedResourceStatuses: _statuses,
      ...others
    } = status ?? {};
    return { ...rest, metadata: kept, status: others };
  };
  const isSame = deepEqual(fixed(object as unknown as PersistentVolumeClaim), fixed(old as DeepReadonly<PersistentVolumeClaim>));
  return isSame ? undefined : `node "${nodeName}" is not allowed to update fields other than status.capacity and status.conditions`;
};
