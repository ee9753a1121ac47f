// What a request is about, as webhooks, policies and error messages name it.
import type { RequestScope, Resource } from "../../../api/index.ts";
import type { AdmissionRequest } from "../admission.ts";

export interface KindIdentity {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** The kind that clients send to `resource`, or to its subresource. */
export function kindOf(resource: Resource, subresource: string): KindIdentity {
  const { group, version, kind } = resource.subresources[subresource] ?? resource;
  return { group, version, kind };
}

export function kindOfRequest({ resource, subresource }: RequestScope): KindIdentity {
  return kindOf(resource, subresource);
}

/** `v1`, or `apps/v1`. */
export function apiVersionOf({ group, version }: KindIdentity): string {
  return group === "" ? version : `${group}/${version}`;
}

/** The object's name; "" for one whose name is yet to be generated. */
export function nameOfRequest({ scope, object }: AdmissionRequest): string {
  return scope.name === "" ? (object?.metadata?.name ?? "") : scope.name;
}
