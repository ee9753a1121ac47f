// What `fieldRef` and `resourceFieldRef` answer; environment and downward API volumes read the same.
import type { ResourceFieldSelector } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import { type ContainerSpec, findContainer, type PodObject } from "../pod/pod-object.ts";
import { milliValue } from "../resources/quantity.ts";

const SUBSCRIPT = /^metadata\.(labels|annotations)\['([^']*)'\]$/;

export interface FieldFacts {
  readonly nodeIps: readonly string[];
  readonly podIps: readonly string[];
}

/** The text at `path`; undefined for a path that cannot be asked for. */
export function fieldValue(pod: PodObject, path: string, facts: FieldFacts): string | undefined {
  const subscript = SUBSCRIPT.exec(path);
  if (subscript !== null) return pod.metadata[subscript[1] === "labels" ? "labels" : "annotations"]?.[subscript[2] ?? ""] ?? "";
  switch (path) {
    case "metadata.name":
      return pod.metadata.name ?? "";
    case "metadata.namespace":
      return pod.metadata.namespace ?? "";
    case "metadata.uid":
      return pod.metadata.uid ?? "";
    case "metadata.labels":
      return formatMap(pod.metadata.labels);
    case "metadata.annotations":
      return formatMap(pod.metadata.annotations);
    case "spec.nodeName":
      return pod.spec?.nodeName ?? "";
    case "spec.serviceAccountName":
      return pod.spec?.serviceAccountName ?? "";
    case "status.hostIP":
      return facts.nodeIps[0] ?? "";
    case "status.hostIPs":
      return facts.nodeIps.join(",");
    case "status.podIP":
      return facts.podIps[0] ?? "";
    case "status.podIPs":
      return facts.podIps.join(",");
    default:
      return undefined;
  }
}

function formatMap(map: Readonly<Record<string, string>> | undefined): string {
  const entries = Object.entries(map ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join("\n");
}

/** The amount in units of the divisor, rounded up; a limit that is not set is the node's `allocatable`. */
export function resourceValue(
  pod: PodObject,
  selector: DeepReadonly<ResourceFieldSelector>,
  from: { readonly container: ContainerSpec; readonly allocatable: Readonly<Record<string, string>> },
): string {
  const container =
    selector.containerName === undefined ? from.container : (findContainer(pod, selector.containerName)?.spec ?? from.container);
  const [list = "", ...rest] = selector.resource.split(".");
  const name = rest.join(".");
  const amount =
    list === "requests"
      ? (container.resources?.requests?.[name] ?? container.resources?.limits?.[name])
      : (container.resources?.limits?.[name] ?? from.allocatable[name]);
  const divisor = milliValue(selector.divisor);
  return String(Math.ceil(milliValue(amount) / (divisor === 0 ? 1000 : divisor)));
}
