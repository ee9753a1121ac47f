// What events about a pod or one of its containers refer to.
import type { ObjectReference } from "../../api/types/core/v1.ts";
import { allContainers, type ContainerSpec, type PodObject } from "./pod-object.ts";

const LISTS = { init: "initContainers", sidecar: "initContainers", main: "containers", ephemeral: "ephemeralContainers" } as const;

export function podReference(pod: PodObject): ObjectReference {
  const { name, namespace, uid, resourceVersion } = pod.metadata;
  return { kind: "Pod", apiVersion: "v1", name, namespace, uid, resourceVersion };
}

export function containerReference(pod: PodObject, container: Pick<ContainerSpec, "name">): ObjectReference {
  const role = allContainers(pod).find(({ spec }) => spec.name === container.name)?.role ?? "main";
  return { ...podReference(pod), fieldPath: `spec.${LISTS[role]}{${container.name}}` };
}
