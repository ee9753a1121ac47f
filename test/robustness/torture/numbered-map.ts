// The config maps that are written through a server: each has its value in three places, so that half a write would show.
import type { ApiObject } from "../../../bench/api.ts";

export const MAPS = "/api/v1/namespaces/default/configmaps";
export const LABEL = "torture";
/** So that a map does not fit into a page of the store. */
const FILLER = "x".repeat(6_000);

export interface NumberedMap {
  readonly name: string;
  readonly revision: number;
  /** Undefined when its places do not agree. */
  readonly value: string | undefined;
}

export function bodyOf(name: string, value: string, resourceVersion?: number) {
  const version = resourceVersion === undefined ? {} : { resourceVersion: `${resourceVersion}` };
  const metadata = { name, labels: { [LABEL]: "true" }, annotations: { value }, ...version };
  return { apiVersion: "v1", kind: "ConfigMap", metadata, data: { first: value, filler: FILLER, last: value } };
}

export function readMap({ metadata, data }: ApiObject): NumberedMap {
  const { first, filler, last } = data as Readonly<Record<string, string>>;
  const isWhole = first === last && filler === FILLER && metadata.annotations?.["value"] === first;
  return { name: metadata.name, revision: Number(metadata.resourceVersion), value: isWhole ? first : undefined };
}
