// What files a configMap, secret or downwardAPI volume holds: pure functions from objects to files.
import type { ConfigMap, DownwardAPIVolumeFile, KeyToPath, Pod, ResourceFieldSelector, Secret } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import { fieldValue, resourceValue } from "../env/field-ref.ts";
import { findContainer } from "../pod/pod-object.ts";
import type { Payload, PayloadFile } from "./atomic-writer.ts";

export interface KeyedSource {
  /** `configmap`, or `secret`: for messages. */
  readonly what: string;
  readonly namespace: string;
  readonly name: string;
  /** Undefined when the object is missing, which only an optional source may be. */
  readonly data: ReadonlyMap<string, Uint8Array> | undefined;
  readonly items: DeepReadonly<KeyToPath[]> | undefined;
  readonly defaultMode: number;
  readonly isOptional: boolean;
}

/** Why content cannot be made; the message stands in the FailedMount event. */
export class PayloadError extends Error {
  readonly code = "PAYLOAD";
}

export function configMapData(configMap: DeepReadonly<ConfigMap>): ReadonlyMap<string, Uint8Array> {
  const texts = Object.entries(configMap.data ?? {}).map(([key, text]) => [key, Buffer.from(text)] as const);
  const binaries = Object.entries(configMap.binaryData ?? {}).map(([key, text]) => [key, Buffer.from(text, "base64")] as const);
  return new Map([...texts, ...binaries]);
}

export function secretData(secret: DeepReadonly<Secret>): ReadonlyMap<string, Uint8Array> {
  return new Map(Object.entries(secret.data ?? {}).map(([key, text]) => [key, Buffer.from(text, "base64")]));
}

/** All keys, or the named ones under their paths. */
export function keyedPayload(source: KeyedSource): Payload {
  const { data, items, defaultMode, isOptional, what, namespace, name } = source;
  if (data === undefined) return new Map();
  if (items === undefined || items.length === 0) {
    return new Map([...data].map(([key, bytes]) => [key, { data: bytes, mode: defaultMode }]));
  }
  const files = new Map<string, PayloadFile>();
  for (const { key, path, mode } of items) {
    const bytes = data.get(key);
    if (bytes === undefined) {
      if (isOptional) continue;
      throw new PayloadError(
        `${what} "${namespace}/${name}" references non-existent ${what === "secret" ? "secret" : "config"} key: ${key}`,
      );
    }
    files.set(checkedPath(path), { data: bytes, mode: mode ?? defaultMode });
  }
  return files;
}

export function downwardPayload(
  pod: DeepReadonly<Pod>,
  items: DeepReadonly<DownwardAPIVolumeFile[]>,
  options: { readonly defaultMode: number; readonly allocatable: Readonly<Record<string, string>> },
): Payload {
  const files = new Map<string, PayloadFile>();
  for (const { path, mode, fieldRef, resourceFieldRef } of items) {
    const text =
      fieldRef !== undefined
        ? downwardField(pod, fieldRef.fieldPath)
        : resourceFieldRef !== undefined
          ? downwardResource(pod, resourceFieldRef, options.allocatable)
          : "";
    files.set(checkedPath(path), { data: Buffer.from(text), mode: mode ?? options.defaultMode });
  }
  return files;
}

function downwardField(pod: DeepReadonly<Pod>, path: string): string {
  const addresses = (list: readonly { readonly ip: string }[] | undefined) => (list ?? []).map(({ ip }) => ip);
  const facts = { nodeIps: addresses(pod.status?.hostIPs), podIps: addresses(pod.status?.podIPs) };
  const value = fieldValue(pod, path, facts);
  if (value === undefined) throw new PayloadError(`unsupported fieldPath: ${path}`);
  return value;
}

function downwardResource(
  pod: DeepReadonly<Pod>,
  selector: DeepReadonly<ResourceFieldSelector>,
  allocatable: Readonly<Record<string, string>>,
): string {
  // In a volume the selector must name the container.
  const container = findContainer(pod, selector.containerName ?? "")?.spec;
  if (container === undefined) throw new PayloadError(`container ${selector.containerName} not found`);
  return resourceValue(pod, selector, { container, allocatable });
}

/** Paths are validated when the pod is made; this guards the host all the same. */
export function checkedPath(path: string): string {
  if (path === "" || path.startsWith("/") || path.startsWith("..") || path.split("/").includes("..")) {
    throw new PayloadError(`invalid path: ${path}`);
  }
  return path
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .join("/");
}
