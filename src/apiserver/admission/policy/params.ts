// The parameters of a policy: objects of its paramKind that a binding points to.
import type { Resource, ResourceCatalog } from "../../../api/index.ts";
import type { ParamKind, ParamRef } from "../../../api/types/admissionregistration/v1.ts";
import { type DeepReadonly, type KubeObject, labelSelectorMatcher } from "../../../machinery/index.ts";
import { draftOf } from "../../registry/draft.ts";
import { objectStoreKey, resourcePrefix, scopePrefix } from "../../registry/key.ts";
import { fromStoredForm } from "../../registry/stored-as.ts";
import type { ClusterView } from "../cluster-view.ts";
import { PolicyError } from "./policy-error.ts";

export interface ParamView extends ClusterView {
  readonly catalog: ResourceCatalog;
}

/** The resource of a paramKind. Throws PolicyError. */
export function paramResource(catalog: ResourceCatalog, { apiVersion = "", kind = "" }: DeepReadonly<ParamKind>): Resource {
  const found = catalog.all().find((resource) => resource.kind === kind && resource.apiVersion === apiVersion);
  if (found === undefined) throw new PolicyError(`failed to find resource referenced by paramKind: '${apiVersion}, Kind=${kind}'`);
  return found;
}

/**
 * What to evaluate a policy with, one after the other: null when there are no parameters to be had, nothing at all when
 * there should be some and it is allowed that there are none. Throws PolicyError.
 */
export async function collectParams(
  view: ParamView,
  resource: Resource | undefined,
  { ref, namespace }: { readonly ref: DeepReadonly<ParamRef> | undefined; readonly namespace: string },
): Promise<readonly (KubeObject | null)[]> {
  if (resource === undefined || ref === undefined) return [null];
  const place = placeOf(resource, ref, namespace);
  const { name = "", selector, parameterNotFoundAction } = ref;
  const found = name === "" ? listed(view, resource, place, selector) : await named(view, resource, place, name);
  if (found.length === 0 && parameterNotFoundAction === "Deny") {
    throw new PolicyError("no params found for policy binding with `Deny` parameterNotFoundAction");
  }
  return Promise.all(found.map((object) => fromStoredForm(resource, draftOf(object))));
}

/** The namespace to look in; "" for cluster-scoped parameters. */
function placeOf({ namespaced }: Resource, { namespace: chosen = "" }: DeepReadonly<ParamRef>, namespace: string): string {
  if (!namespaced) {
    if (chosen !== "") throw new PolicyError("paramRef.namespace must not be provided for a cluster-scoped `paramKind`");
    return "";
  }
  const place = chosen === "" ? namespace : chosen;
  if (place === "") throw new PolicyError("cannot use namespaced paramRef in policy binding that matches cluster-scoped resources");
  return place;
}

async function named({ cache, store }: ParamView, resource: Resource, place: string, name: string): Promise<DeepReadonly<KubeObject>[]> {
  const key = objectStoreKey(resource, place, name);
  const cached = cache.of(resourcePrefix(resource)).get(key);
  if (cached !== undefined) return [cached.object];
  const stored = await store.get(key);
  return stored === undefined ? [] : [cache.entries.entry(stored).object];
}

function listed(
  { cache }: ParamView,
  resource: Resource,
  place: string,
  selector: DeepReadonly<ParamRef>["selector"],
): DeepReadonly<KubeObject>[] {
  const matcher = labelSelectorMatcher(selector);
  const entries = cache.of(resourcePrefix(resource)).entries(scopePrefix(resource, place));
  return entries.map(({ object }) => object).filter(({ metadata }) => matcher.matches(metadata.labels));
}
