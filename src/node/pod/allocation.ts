// The resources that a pod's containers are granted and have: in-place resize moves them from one specification to the next.
import type { ResourceRequirements } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import { amounts } from "../resources/pod-resources.ts";
import type { ContainerStatus } from "../runtime/runtime.ts";
import type { ContainerSpec, PodObject } from "./pod-object.ts";

export type Resources = DeepReadonly<ResourceRequirements>;

/** Annotation of a container with the resources that it was made with, as JSON. */
export const RESOURCES_ANNOTATION = "io.kubernetes.container.resources";
export const RESIZABLE = ["cpu", "memory"] as const;

/** The resizable resources of which `a` and `b` differ in request or limit. */
export function changedResources(a: Resources | undefined, b: Resources | undefined): readonly string[] {
  const differs = (kind: "requests" | "limits", name: string) => amounts(a?.[kind]).get(name) !== amounts(b?.[kind]).get(name);
  return RESIZABLE.filter((name) => differs("requests", name) || differs("limits", name));
}

/** Whether a running container takes its new resources only by being started again. */
export function isRestartNeeded(container: ContainerSpec, changed: readonly string[]): boolean {
  return (container.resizePolicy ?? []).some(
    (policy) => policy.restartPolicy === "RestartContainer" && changed.includes(policy.resourceName),
  );
}

/** What a container has now: what the last resize gave it, or what it was made with. Undefined when nobody knows. */
export function actualResources(container: ContainerStatus, resized: ReadonlyMap<string, Resources>): Resources | undefined {
  const made = container.annotations[RESOURCES_ANNOTATION];
  return resized.get(container.id) ?? (made === undefined ? undefined : (JSON.parse(made) as Resources));
}

/** The pod with the resources of each container that `resourcesOf` knows; the same object when nothing differs. */
export function withResources(pod: PodObject, resourcesOf: (name: string) => Resources | undefined): PodObject {
  const { spec } = pod;
  if (spec === undefined) return pod;
  let isChanged = false;
  const replace = <C extends ContainerSpec>(container: C): C => {
    const resources = resourcesOf(container.name);
    if (resources === undefined || changedResources(resources, container.resources).length === 0) return container;
    isChanged = true;
    return { ...container, resources };
  };
  const containers = spec.containers.map(replace);
  const initContainers = spec.initContainers?.map(replace);
  return isChanged ? { ...pod, spec: { ...spec, containers, ...(initContainers === undefined ? {} : { initContainers }) } } : pod;
}

/** The pod with other resources of the pod as a whole; the same object when they do not differ or nobody knows them. */
export function withPodResources(pod: PodObject, resources: Resources | undefined): PodObject {
  if (pod.spec === undefined || resources === undefined || changedResources(pod.spec.resources, resources).length === 0) return pod;
  return { ...pod, spec: { ...pod.spec, resources } };
}

/** `pod`, a newer object, with the resources that `granted` has. */
export function keepResources(pod: PodObject, granted: PodObject): PodObject {
  const known = new Map([...(granted.spec?.initContainers ?? []), ...(granted.spec?.containers ?? [])].map((spec) => [spec.name, spec]));
  const whole = withPodResources(pod, granted.spec?.resources);
  return withResources(whole, (name) => (known.has(name) ? (known.get(name)?.resources ?? {}) : undefined));
}

/** The larger of two specifications for each container: what a pod's group must allow while its containers change. */
export function coveringPod(pod: PodObject, actual: ReadonlyMap<string, Resources>): PodObject {
  const specs = new Map([...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])].map((spec) => [spec.name, spec.resources]));
  return withResources(pod, (name) => {
    const other = actual.get(name);
    return other === undefined ? undefined : larger(specs.get(name), other);
  });
}

function larger(a: Resources | undefined, b: Resources): Resources {
  const most = (kind: "requests" | "limits") => {
    const list: Record<string, string> = { ...b[kind], ...a?.[kind] };
    for (const name of RESIZABLE) {
      const [one, other] = [a?.[kind]?.[name], b[kind]?.[name]];
      // Without a limit is more than any limit.
      if (one === undefined || other === undefined) delete list[name];
      else if ((amounts(b[kind]).get(name) ?? 0) > (amounts(a?.[kind]).get(name) ?? 0)) list[name] = other;
    }
    return list;
  };
  return { ...a, requests: most("requests"), limits: most("limits") };
}
