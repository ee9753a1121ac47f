// The slices that mirror an Endpoints object which a person keeps for a service without selector. Pure.
import type { EndpointAddress, EndpointPort, EndpointSubset, Endpoints, Service } from "../../api/types/core/v1.ts";
import type { Endpoint, EndpointSlice } from "../../api/types/discovery/v1.ts";
import { newControllerRef } from "../../client/index.ts";
import { type DeepReadonly, deepEqual } from "../../machinery/index.ts";

export type Slice = DeepReadonly<EndpointSlice>;
export type EndpointsObject = DeepReadonly<Endpoints>;

export const MIRROR = "endpointslicemirroring-controller.k8s.io";
export const MANAGED_BY_LABEL = "endpointslice.kubernetes.io/managed-by";
export const SERVICE_NAME_LABEL = "kubernetes.io/service-name";
const SKIP_LABEL = "endpointslice.kubernetes.io/skip-mirror";
const LEADER_ANNOTATION = "control-plane.alpha.kubernetes.io/leader";
/** Upstream's --mirroring-max-endpoints-per-subset. */
const MOST_PER_SUBSET = 1_000;
const skippedAnnotations = new Set([
  "endpoints.kubernetes.io/last-change-trigger-time",
  "kubectl.kubernetes.io/last-applied-configuration",
]);

export interface MirrorPlan {
  readonly create: readonly Slice[];
  readonly update: readonly Slice[];
  readonly delete: readonly Slice[];
}

/** Whether the object is meant to be mirrored: not another controller's, not a leader's lock. */
export function isMirrored({ metadata }: EndpointsObject): boolean {
  return metadata.labels?.[SKIP_LABEL] !== "true" && metadata.annotations?.[LEADER_ANNOTATION] === undefined;
}

/** `existing` are the slices that this controller keeps for the service. Nothing is wanted without both objects. */
export function planMirror(
  endpoints: EndpointsObject | undefined,
  service: DeepReadonly<Service> | undefined,
  existing: readonly Slice[],
): MirrorPlan {
  const isWanted = endpoints !== undefined && service !== undefined && isMirrored(endpoints) && service.spec?.selector === undefined;
  const wanted = isWanted ? wantedSlices(endpoints) : [];
  const rest = [...existing];
  const plan = { create: [] as Slice[], update: [] as Slice[] };
  for (const slice of wanted) {
    const index = rest.findIndex((known) => known.addressType === slice.addressType && deepEqual(known.ports ?? [], slice.ports ?? []));
    const known = index < 0 ? undefined : rest.splice(index, 1)[0];
    if (known === undefined) plan.create.push(slice);
    else if (!isSame(known, slice))
      plan.update.push({ ...known, endpoints: slice.endpoints, metadata: { ...known.metadata, ...kept(slice) } });
  }
  return { ...plan, delete: rest };
}

function kept({ metadata }: Slice) {
  return { labels: metadata.labels, annotations: metadata.annotations, ownerReferences: metadata.ownerReferences };
}

function isSame(known: Slice, wanted: Slice): boolean {
  return (
    deepEqual(known.endpoints, wanted.endpoints) &&
    deepEqual(known.metadata.labels, wanted.metadata.labels) &&
    deepEqual(known.metadata.annotations ?? {}, wanted.metadata.annotations ?? {})
  );
}

function wantedSlices(endpoints: EndpointsObject): Slice[] {
  return (endpoints.subsets ?? []).flatMap((subset) =>
    (["IPv4", "IPv6"] as const).flatMap((addressType) => {
      const found = endpointsOf(subset, addressType);
      return found.length === 0 ? [] : [sliceOf(endpoints, subset, { addressType, endpoints: found })];
    }),
  );
}

function endpointsOf({ addresses = [], notReadyAddresses = [] }: DeepReadonly<EndpointSubset>, addressType: "IPv4" | "IPv6"): Endpoint[] {
  const isOfType = ({ ip }: DeepReadonly<EndpointAddress>) => ip.includes(":") === (addressType === "IPv6");
  const ready = addresses.filter(isOfType).map((address) => endpointOf(address, true));
  const notReady = notReadyAddresses.filter(isOfType).map((address) => endpointOf(address, false));
  return [...ready, ...notReady].slice(0, MOST_PER_SUBSET);
}

function endpointOf({ ip, hostname, nodeName, targetRef }: DeepReadonly<EndpointAddress>, ready: boolean): Endpoint {
  return {
    addresses: [ip],
    conditions: { ready },
    ...(hostname ? { hostname } : {}),
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(targetRef === undefined ? {} : { targetRef }),
  };
}

function sliceOf(
  endpoints: EndpointsObject,
  { ports = [] }: DeepReadonly<EndpointSubset>,
  content: { readonly addressType: string; readonly endpoints: readonly Endpoint[] },
): Slice {
  const { name = "", namespace, labels, annotations = {} } = endpoints.metadata;
  const mirrored = Object.fromEntries(Object.entries(annotations).filter(([key]) => !skippedAnnotations.has(key)));
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      generateName: `${name}-`,
      namespace,
      labels: { ...labels, [SERVICE_NAME_LABEL]: name, [MANAGED_BY_LABEL]: MIRROR },
      ...(Object.keys(mirrored).length === 0 ? {} : { annotations: mirrored }),
      ownerReferences: [newControllerRef(endpoints, { apiVersion: "v1", kind: "Endpoints" })],
    },
    ...content,
    ports: ports.map(portOf),
  };
}

function portOf({ name = "", port, protocol = "TCP", appProtocol }: DeepReadonly<EndpointPort>) {
  return { name, port, protocol, ...(appProtocol === undefined ? {} : { appProtocol }) };
}
