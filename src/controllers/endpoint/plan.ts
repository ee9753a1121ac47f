// What the Endpoints object of a service should be: the old form of its EndpointSlices.
import { podReady } from "../../api/index.ts";
import type { EndpointAddress, EndpointPort, EndpointSubset, Endpoints, Pod, Service } from "../../api/types/core/v1.ts";
import { type DeepReadonly, deepEqual } from "../../machinery/index.ts";
import type { ChangedPods } from "../service-pod-changes.ts";
import { belongsInEndpoints, HEADLESS_LABEL, hostnameFor, isHeadless, podIps, targetPortOf } from "../service-pods.ts";

export const MANAGED_BY_LABEL = "endpoints.kubernetes.io/managed-by";
export const MANAGER = "endpoint-controller";
const LEADER_ANNOTATION = "control-plane.alpha.kubernetes.io/leader";
const OVER_CAPACITY_ANNOTATION = "endpoints.kubernetes.io/over-capacity";
/** More addresses than these are cut off: the object is written and sent as a whole. */
const MAX_ADDRESSES = 1000;

export type EndpointsPlan = { readonly type: "none" } | { readonly type: "create" | "update"; readonly endpoints: DeepReadonly<Endpoints> };

/** An old way of electing leaders keeps its record in Endpoints, which are not ours then. */
export function isLeaderRecord({ metadata }: DeepReadonly<Endpoints>): boolean {
  return metadata.annotations?.[LEADER_ANNOTATION] !== undefined;
}

/**
 * `behind`: by address, as `behindAfter` answers; `current`: what stands.
 * @see kubernetes `pkg/controller/endpoint/endpoints_controller.go`
 */
export function planEndpoints(
  service: DeepReadonly<Service>,
  behind: readonly Behind[],
  current: DeepReadonly<Endpoints> | undefined,
): EndpointsPlan {
  const { subsets, isTruncated } = truncate(subsetsOf(behind));
  const labels: Record<string, string> = { ...service.metadata.labels, [MANAGED_BY_LABEL]: MANAGER };
  delete labels[HEADLESS_LABEL];
  if (isHeadless(service)) labels[HEADLESS_LABEL] = "";
  const { [OVER_CAPACITY_ANNOTATION]: _, ...others } = current?.metadata.annotations ?? {};
  const annotations = isTruncated ? { ...others, [OVER_CAPACITY_ANNOTATION]: "truncated" } : others;
  const { name, namespace } = service.metadata;
  const metadata = { ...(current?.metadata ?? { name, namespace }), labels, ...annotationsOf(annotations) };
  if (current === undefined) return { type: "create", endpoints: { apiVersion: "v1", kind: "Endpoints", metadata, subsets } };
  const isSame =
    deepEqual(current.subsets ?? [], subsets) &&
    deepEqual(current.metadata.labels, labels) &&
    deepEqual(current.metadata.annotations ?? {}, annotations);
  return isSame ? { type: "none" } : { type: "update", endpoints: { ...current, metadata, subsets } };
}

function annotationsOf(annotations: Readonly<Record<string, string>>) {
  return { annotations: Object.keys(annotations).length === 0 ? undefined : annotations };
}

/** A pod's address with the ports behind it. There is one for each pod, so it is small. */
export interface Behind {
  readonly address: EndpointAddress & { readonly targetRef: { readonly name: string; readonly uid: string } };
  readonly isReady: boolean;
  /** As JSON. */
  readonly ports: string;
}

/** What is behind the service by address, when `pods` are all of `names` that it selects (undefined: of any), and the rest is as before. */
export function behindAfter(
  before: readonly Behind[],
  service: DeepReadonly<Service>,
  { names, pods }: Pick<ChangedPods, "names" | "pods">,
): readonly Behind[] {
  const kept = names === undefined ? [] : before.filter(({ address }) => !names.has(address.targetRef.name));
  const added = pods.flatMap((pod) => behindOf(service, pod) ?? []);
  // What is kept is in order already, which makes this cheap.
  return [...kept, ...added].sort(({ address: a }, { address: b }) => compare(a.ip, b.ip) || compare(a.targetRef.uid, b.targetRef.uid));
}

/** Addresses with the same ports share a subset. */
function subsetsOf(behind: readonly Behind[]): EndpointSubset[] {
  const groups = Map.groupBy(behind, ({ ports }) => ports);
  return [...groups].sort(([a], [b]) => compare(a, b)).map(([ports, group]) => subsetOf(JSON.parse(ports) as EndpointPort[], group));
}

function subsetOf(ports: EndpointPort[], group: readonly Behind[]): EndpointSubset {
  const addresses = group.filter(({ isReady }) => isReady).map(({ address }) => address);
  const notReadyAddresses = group.filter(({ isReady }) => !isReady).map(({ address }) => address);
  return {
    ...(addresses.length === 0 ? {} : { addresses }),
    ...(notReadyAddresses.length === 0 ? {} : { notReadyAddresses }),
    ...(ports.length === 0 ? {} : { ports }),
  };
}

function compare(a = "", b = ""): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function behindOf(service: DeepReadonly<Service>, pod: DeepReadonly<Pod>): Behind | undefined {
  const { spec } = service;
  if (!belongsInEndpoints(pod, { withTerminating: spec?.publishNotReadyAddresses === true })) return undefined;
  const isV6 = spec?.ipFamilies?.[0] === "IPv6" || (spec?.ipFamilies === undefined && spec?.clusterIP?.includes(":") === true);
  const ip = podIps(pod).find((candidate) => candidate.includes(":") === isV6);
  if (ip === undefined) return undefined;
  const ports = portsOf(service, pod);
  // A pod without the named port is not behind the service, unless the service has no ports at all.
  if (ports.length === 0 && (spec?.ports ?? []).length > 0) return undefined;
  const hostname = hostnameFor(pod, service);
  const { name = "", namespace, uid = "" } = pod.metadata;
  const address = {
    ip,
    ...(pod.spec?.nodeName ? { nodeName: pod.spec.nodeName } : {}),
    targetRef: { kind: "Pod", namespace, name, uid },
    ...(hostname === undefined ? {} : { hostname }),
  };
  return { address, isReady: spec?.publishNotReadyAddresses === true || podReady(pod), ports: JSON.stringify(ports) };
}

function portsOf({ spec }: DeepReadonly<Service>, pod: DeepReadonly<Pod>): EndpointPort[] {
  const ports: EndpointPort[] = [];
  for (const servicePort of spec?.ports ?? []) {
    const port = targetPortOf(pod, servicePort);
    if (port === undefined) continue;
    const { name, protocol = "TCP", appProtocol } = servicePort;
    ports.push({ ...(name ? { name } : {}), port, protocol, ...(appProtocol === undefined ? {} : { appProtocol }) });
  }
  return ports.sort((a, b) => compare(JSON.stringify(a), JSON.stringify(b)));
}

/** Ready addresses stay before others. */
function truncate(subsets: EndpointSubset[]): { readonly subsets: EndpointSubset[]; readonly isTruncated: boolean } {
  const count = (list: EndpointAddress[] | undefined) => list?.length ?? 0;
  const total = subsets.reduce((sum, subset) => sum + count(subset.addresses) + count(subset.notReadyAddresses), 0);
  if (total <= MAX_ADDRESSES) return { subsets, isTruncated: false };
  let room = MAX_ADDRESSES;
  const take = (list: EndpointAddress[] | undefined) => {
    const taken = (list ?? []).slice(0, room);
    room -= taken.length;
    return taken;
  };
  const ready = subsets.map(({ addresses }) => take(addresses));
  const cut = subsets.map((subset, i): EndpointSubset => {
    const notReadyAddresses = take(subset.notReadyAddresses);
    const addresses = ready[i] ?? [];
    return {
      ...(addresses.length === 0 ? {} : { addresses }),
      ...(notReadyAddresses.length === 0 ? {} : { notReadyAddresses }),
      ...(subset.ports === undefined ? {} : { ports: subset.ports }),
    };
  });
  return { subsets: cut.filter((subset) => count(subset.addresses) + count(subset.notReadyAddresses) > 0), isTruncated: true };
}
