// Where a call goes: the path and query of an API request.
import type { ResourceRef } from "../../api/index.ts";
import type { KubeObject } from "../../machinery/index.ts";

export interface PathParts {
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly subresource?: string | undefined;
}

/** `/api/v1/namespaces/default/pods/web/status`. */
export function resourcePath(ref: ResourceRef<KubeObject>, { namespace = "", name = "", subresource = "" }: PathParts): string {
  let path = ref.group === "" ? `/api/${ref.version}` : `/apis/${ref.group}/${ref.version}`;
  if (ref.namespaced && namespace !== "") path += `/namespaces/${encodeURIComponent(namespace)}`;
  path += `/${ref.resource}`;
  if (name !== "") path += `/${encodeURIComponent(name)}`;
  if (subresource !== "") path += `/${subresource}`;
  return path;
}

export type QueryValue = string | number | boolean | undefined;

/** `?a=b&c=d`, without what is undefined; "" for nothing. */
export function queryString(parameters: Readonly<Record<string, QueryValue>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) query.append(name, String(value));
  }
  return query.size === 0 ? "" : `?${query.toString()}`;
}
