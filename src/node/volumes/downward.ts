// Fields of a pod as the downward API shows them.
import type { Pod } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";

/**
 * The text of `fieldPath`: `metadata.name`, `metadata.labels['app']`, `status.podIP`, …
 * @see https://kubernetes.io/docs/concepts/workloads/pods/downward-api/
 */
export function podField(pod: DeepReadonly<Pod>, fieldPath: string): string {
  const subscript = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(fieldPath);
  if (subscript !== null) {
    const [, map, key = ""] = subscript;
    return (map === "labels" ? pod.metadata.labels : pod.metadata.annotations)?.[key] ?? "";
  }
  const read = fields.get(fieldPath);
  if (read === undefined) throw new Error(`unsupported fieldPath: ${fieldPath}`);
  return read(pod) ?? "";
}

type Read = (pod: DeepReadonly<Pod>) => string | undefined;

const fields: ReadonlyMap<string, Read> = new Map<string, Read>([
  ["metadata.name", (pod) => pod.metadata.name],
  ["metadata.namespace", (pod) => pod.metadata.namespace],
  ["metadata.uid", (pod) => pod.metadata.uid],
  ["metadata.labels", (pod) => formatMap(pod.metadata.labels)],
  ["metadata.annotations", (pod) => formatMap(pod.metadata.annotations)],
  ["spec.nodeName", (pod) => pod.spec?.nodeName],
  ["spec.serviceAccountName", (pod) => pod.spec?.serviceAccountName],
  ["status.hostIP", (pod) => pod.status?.hostIP],
  ["status.hostIPs", (pod) => pod.status?.hostIPs?.map(({ ip }) => ip).join(",")],
  ["status.podIP", (pod) => pod.status?.podIP],
  ["status.podIPs", (pod) => pod.status?.podIPs?.map(({ ip }) => ip).join(",")],
]);

/** `key="value"` lines in order of the keys. */
function formatMap(map: Readonly<Record<string, string>> | undefined): string {
  const keys = Object.keys(map ?? {}).sort();
  return keys.map((key) => `${key}=${JSON.stringify(map?.[key] ?? "")}`).join("\n");
}
