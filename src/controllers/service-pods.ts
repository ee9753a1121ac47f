// Which pods stand behind a service, and on which port: shared by the Endpoints and EndpointSlice controllers.
import { isPodTerminal, isSidecar, podReady } from "../api/index.ts";
import type { Pod, Service, ServicePort } from "../api/types/core/v1.ts";
import type { Informer } from "../client/index.ts";
import { type DeepReadonly, deepEqual, type LabelSelectorMatcher, labelSetMatcher, objectKey } from "../machinery/index.ts";

/** Marks what belongs to a service without an address of its own. */
export const HEADLESS_LABEL = "service.kubernetes.io/headless";

const matchers = new WeakMap<DeepReadonly<Service>, LabelSelectorMatcher>();

/** The service's selector; undefined when its endpoints are not ours to make. */
export function serviceSelector(service: DeepReadonly<Service>): LabelSelectorMatcher | undefined {
  const { selector, type } = service.spec ?? {};
  if (selector === undefined || Object.keys(selector).length === 0 || type === "ExternalName") return undefined;
  let matcher = matchers.get(service);
  if (matcher === undefined) matchers.set(service, (matcher = labelSetMatcher(selector)));
  return matcher;
}

export function isHeadless({ spec }: DeepReadonly<Service>): boolean {
  return spec?.clusterIP === "None" || (spec?.clusterIP ?? "") === "";
}

/** IP addresses of the pod; `podIP` stands in for those that write only that. */
export function podIps({ status }: DeepReadonly<Pod>): readonly string[] {
  if (status?.podIPs !== undefined && status.podIPs.length > 0) return status.podIPs.map(({ ip }) => ip ?? "");
  return status?.podIP ? [status.podIP] : [];
}

/** Whether the pod can be behind a service at all; one on its way out only where `withTerminating`. */
export function belongsInEndpoints(pod: DeepReadonly<Pod>, { withTerminating }: { readonly withTerminating: boolean }): boolean {
  if (isPodTerminal(pod) || podIps(pod).length === 0) return false;
  return withTerminating || pod.metadata.deletionTimestamp === undefined;
}

/** The hostname that DNS gives the pod under the service. */
export function hostnameFor(pod: DeepReadonly<Pod>, service: DeepReadonly<Service>): string | undefined {
  const { hostname, subdomain } = pod.spec ?? {};
  return hostname && subdomain === service.metadata.name && pod.metadata.namespace === service.metadata.namespace ? hostname : undefined;
}

/** The number of the pod's port that the service's port leads to; undefined when the pod has none of that name. */
export function targetPortOf(
  pod: DeepReadonly<Pod>,
  { targetPort, port, protocol = "TCP" }: DeepReadonly<ServicePort>,
): number | undefined {
  if (typeof targetPort !== "string") return targetPort || port;
  const { containers = [], initContainers = [] } = pod.spec ?? {};
  for (const container of [...containers, ...initContainers.filter(isSidecar)]) {
    const found = container.ports?.find((candidate) => candidate.name === targetPort && (candidate.protocol ?? "TCP") === protocol);
    if (found !== undefined) return found.containerPort;
  }
  return undefined;
}

/** Calls `add` with the key of every service whose endpoints a change of a pod may concern, and the pod's name. */
export function onServicePodChanges(services: Informer<Service>, pods: Informer<Pod>, add: (key: string, podName: string) => void): void {
  const addMatching = (...states: readonly [DeepReadonly<Pod>, ...DeepReadonly<Pod>[]]) => {
    const { namespace, name = "" } = states[0].metadata;
    for (const service of services.lister.list(namespace)) {
      const selector = serviceSelector(service);
      if (selector !== undefined && states.some(({ metadata }) => selector.matches(metadata.labels))) add(objectKey(service), name);
    }
  };
  pods.onChange({
    added: (pod) => addMatching(pod),
    updated: (old, pod) => {
      if (!deepEqual(old.metadata.labels, pod.metadata.labels)) addMatching(old, pod);
      else if (changesEndpoints(old, pod)) addMatching(pod);
    },
    deleted: (pod) => addMatching(pod),
  });
}

function changesEndpoints(old: DeepReadonly<Pod>, pod: DeepReadonly<Pod>): boolean {
  return (
    old.metadata.deletionTimestamp !== pod.metadata.deletionTimestamp ||
    old.metadata.uid !== pod.metadata.uid ||
    podReady(old) !== podReady(pod) ||
    isPodTerminal(old) !== isPodTerminal(pod) ||
    old.spec?.nodeName !== pod.spec?.nodeName ||
    old.spec?.hostname !== pod.spec?.hostname ||
    old.spec?.subdomain !== pod.spec?.subdomain ||
    !deepEqual(podIps(old), podIps(pod))
  );
}
