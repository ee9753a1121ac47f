// A request in the form of admission.k8s.io's AdmissionRequest: what webhooks are sent and what expressions see as `request`.
import type { Resource, UserInfo } from "../../../api/index.ts";
import type { AdmissionRequest } from "../admission.ts";
import { type KindIdentity, kindOf, nameOfRequest } from "./request-identity.ts";

export interface RequestJson {
  readonly kind: KindIdentity;
  readonly resource: ResourceIdentity;
  readonly subResource?: string;
  readonly requestKind: KindIdentity;
  readonly requestResource: ResourceIdentity;
  readonly requestSubResource?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly operation: string;
  readonly userInfo: object;
  readonly dryRun: boolean;
  readonly options: object | null;
}

interface ResourceIdentity {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
}

/** `shown` is the resource as which the request is shown. */
export function requestJson(request: AdmissionRequest, shown: Resource): RequestJson {
  const { scope, operation, isDryRun } = request;
  const { resource, subresource, namespace, user } = scope;
  const name = nameOfRequest(request);
  // Upstream counts a namespace as being in itself.
  const place = resource.group === "" && resource.resource === "namespaces" ? name : namespace;
  return {
    kind: kindOf(shown, subresource),
    resource: identity(shown),
    ...(subresource === "" ? {} : { subResource: subresource }),
    requestKind: kindOf(resource, subresource),
    requestResource: identity(resource),
    ...(subresource === "" ? {} : { requestSubResource: subresource }),
    ...(name === "" ? {} : { name }),
    ...(place === "" ? {} : { namespace: place }),
    operation,
    userInfo: userJson(user),
    dryRun: isDryRun,
    options: optionsOf(request),
  };
}

function identity({ group, version, resource }: Resource): ResourceIdentity {
  return { group, version, resource };
}

function userJson({ name, uid, groups, extra }: UserInfo): object {
  return { username: name, ...(uid === undefined ? {} : { uid }), groups, ...(extra === undefined ? {} : { extra }) };
}

const optionKinds = { CREATE: "CreateOptions", UPDATE: "UpdateOptions", DELETE: "DeleteOptions" } as const;

function optionsOf({ operation, scope, isDryRun, deleteOptions }: AdmissionRequest): object | null {
  if (operation === "CONNECT") return null;
  const type = { kind: optionKinds[operation], apiVersion: "meta.k8s.io/v1" };
  const dryRun = isDryRun ? { dryRun: ["All"] } : {};
  if (operation === "DELETE") return { ...deleteOptions, ...type, ...dryRun };
  return { ...type, ...(scope.fieldManager === undefined ? {} : { fieldManager: scope.fieldManager }), ...dryRun };
}
