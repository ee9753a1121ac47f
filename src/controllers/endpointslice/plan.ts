// How a service's slices change so that they hold the wanted endpoints, with as few writes as possible.
import type { Service } from "../../api/types/core/v1.ts";
import type { Endpoint, EndpointSlice } from "../../api/types/discovery/v1.ts";
import { newControllerRef } from "../../client/index.ts";
import { type DeepReadonly, deepEqual } from "../../machinery/index.ts";
import { HEADLESS_LABEL, isHeadless } from "../service-pods.ts";
import {
  type AddressType,
  addressTypesOf,
  desiredGroups,
  type EndpointGroup,
  type EndpointsInput,
  endpointKey,
  portsKey,
} from "./endpoints-of-service.ts";

export const SERVICE_NAME_LABEL = "kubernetes.io/service-name";
export const MANAGED_BY_LABEL = "endpointslice.kubernetes.io/managed-by";
export const MANAGER = "endpointslice-controller.k8s.io";
/** Upstream's --max-endpoints-per-slice. */
export const MAX_ENDPOINTS_PER_SLICE = 100;

type Slice = DeepReadonly<EndpointSlice>;

export interface SlicePlan {
  readonly create: readonly Slice[];
  readonly update: readonly Slice[];
  readonly delete: readonly Slice[];
  /** A pod's node has not been seen: look again when nodes come. */
  readonly waitsForNode: boolean;
}

interface MutablePlan {
  readonly create: Slice[];
  readonly update: Slice[];
  readonly delete: Slice[];
}

export interface SlicesInput extends EndpointsInput {
  /** The service's slices that this controller manages. */
  readonly existing: readonly Slice[];
  /** Names of all pods for which the slices may be wrong; `pods` are those of them that the service selects. Absent: any. */
  readonly changed?: ReadonlySet<string> | undefined;
}

/**
 * @see kubernetes `staging/src/k8s.io/endpointslice/reconciler.go`
 */
export function planSlices(input: SlicesInput): SlicePlan {
  const { service, existing, changed } = input;
  const plan: MutablePlan = { create: [], update: [], delete: [] };
  const types = addressTypesOf(service);
  plan.delete.push(...existing.filter((slice) => !types.some((type) => type === slice.addressType)));
  let waitsForNode = false;
  for (const type of types) {
    const desired = desiredGroups(input, type);
    waitsForNode ||= desired.waitsForNode;
    const ofType = existing.filter((slice) => slice.addressType === type);
    planType(plan, { service, type, existing: ofType, changed, groups: desired.groups });
  }
  return { ...plan, waitsForNode };
}

interface TypeInput {
  readonly service: DeepReadonly<Service>;
  readonly type: AddressType;
  readonly existing: readonly Slice[];
  readonly changed: SlicesInput["changed"];
  readonly groups: ReadonlyMap<string, EndpointGroup>;
}

function planType(plan: MutablePlan, input: TypeInput): void {
  const { service, type, existing, groups } = input;
  const byPorts = Map.groupBy(existing, (slice) => portsKey(slice.ports));
  const fillings: Filling[] = [];
  for (const [key, { ports, endpoints }] of groups) {
    fillings.push(...fillGroup(plan, { ...input, existing: byPorts.get(key) ?? [], ports, endpoints }));
    byPorts.delete(key);
  }
  for (const slices of byPorts.values()) fillings.push(...fillGroup(plan, { ...input, existing: slices, ports: [], endpoints: new Map() }));
  const isEmpty = ({ endpoints }: Filling) => endpoints.length === 0;
  plan.update.push(...fillings.filter((filling) => filling.isChanged && !isEmpty(filling)).map((filling) => filled(filling, service)));
  const empty = fillings.filter(isEmpty).map(({ slice }) => slice);
  if (groups.size > 0 || empty.length < fillings.length) {
    plan.delete.push(...empty);
    return;
  }
  // A service without endpoints keeps one empty slice, so that its consumers see that it has none.
  const placeholder = newSlice(service, type, { ports: [], endpoints: [] });
  const kept = empty.find((slice) => (slice.endpoints ?? []).length === 0 && (slice.ports ?? []).length === 0);
  plan.delete.push(...empty.filter((slice) => slice !== kept));
  if (kept === undefined) plan.create.push(placeholder);
  else if (!hasWantedMetadata(kept, service)) plan.update.push(withMetadata(kept, service));
}

interface GroupInput extends EndpointGroup {
  readonly service: DeepReadonly<Service>;
  readonly type: AddressType;
  readonly existing: readonly Slice[];
  readonly changed: SlicesInput["changed"];
}

/** A slice with the endpoints it is to hold. */
interface Filling {
  readonly slice: Slice;
  readonly endpoints: DeepReadonly<Endpoint>[];
  isChanged: boolean;
}

/** Answers what the slices of the group are to hold; what has no place in them goes into new ones. */
function fillGroup(plan: MutablePlan, input: GroupInput): readonly Filling[] {
  const { service, type, ports } = input;
  const missing = new Map<string, DeepReadonly<Endpoint>>(input.endpoints);
  const fillings = keepWanted(input, missing);
  const rest = [...missing.values()];
  const fullestFirst = [...fillings].sort((a, b) => b.endpoints.length - a.endpoints.length);
  // 1. Slices that are written anyway take what they can, the fullest first.
  for (const filling of fullestFirst) if (filling.isChanged) fill(filling, rest);
  // 2. What is left goes into one more slice with room, the fullest that has enough of it.
  if (rest.length > 0 && rest.length < MAX_ENDPOINTS_PER_SLICE) {
    const target = fullestFirst.find(({ isChanged, endpoints }) => !isChanged && endpoints.length + rest.length <= MAX_ENDPOINTS_PER_SLICE);
    if (target !== undefined) {
      fill(target, rest);
      target.isChanged = true;
    }
  }
  // 3. New slices for the others.
  while (rest.length > 0) plan.create.push(newSlice(service, type, { ports, endpoints: rest.splice(0, MAX_ENDPOINTS_PER_SLICE) }));
  return fillings;
}

/** What the slices keep, and whether they must be written for it; takes that out of `missing`. */
function keepWanted({ existing, changed, service }: GroupInput, missing: Map<string, DeepReadonly<Endpoint>>): readonly Filling[] {
  return existing.map((slice) => {
    const filling: Filling = { slice, endpoints: [], isChanged: !hasWantedMetadata(slice, service) };
    for (const endpoint of slice.endpoints ?? []) {
      if (changed?.has(endpoint.targetRef?.name ?? "") === false) {
        filling.endpoints.push(endpoint);
        continue;
      }
      const key = endpointKey(endpoint);
      const wanted = missing.get(key);
      missing.delete(key);
      if (wanted !== undefined) filling.endpoints.push(wanted);
      if (wanted === undefined || !deepEqual(endpoint, wanted)) filling.isChanged = true;
    }
    return filling;
  });
}

function filled({ slice, endpoints }: Filling, service: DeepReadonly<Service>): Slice {
  return { ...withMetadata(slice, service), endpoints };
}

function fill({ endpoints }: Filling, rest: DeepReadonly<Endpoint>[]): void {
  endpoints.push(...rest.splice(0, MAX_ENDPOINTS_PER_SLICE - endpoints.length));
}

function newSlice(
  service: DeepReadonly<Service>,
  addressType: AddressType,
  {
    ports,
    endpoints,
  }: {
    readonly ports: readonly DeepReadonly<NonNullable<EndpointSlice["ports"]>[number]>[];
    readonly endpoints: readonly DeepReadonly<Endpoint>[];
  },
): Slice {
  const { name = "", namespace } = service.metadata;
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      generateName: namePrefix(name),
      namespace,
      labels: wantedLabels(service),
      ownerReferences: [newControllerRef(service, { apiVersion: "v1", kind: "Service" })],
    },
    addressType,
    endpoints,
    ports,
  };
}

/** The longest that leaves room for the server's suffix within a DNS label. */
function namePrefix(serviceName: string): string {
  return serviceName.length < 63 ? `${serviceName}-` : serviceName;
}

/** The service's labels and those that find the slice. */
function wantedLabels(service: DeepReadonly<Service>): Record<string, string> {
  const labels: Record<string, string> = { ...service.metadata.labels };
  delete labels[HEADLESS_LABEL];
  if (isHeadless(service)) labels[HEADLESS_LABEL] = "";
  labels[SERVICE_NAME_LABEL] = service.metadata.name ?? "";
  labels[MANAGED_BY_LABEL] = MANAGER;
  return labels;
}

function hasWantedMetadata({ metadata }: Slice, service: DeepReadonly<Service>): boolean {
  return (
    deepEqual(metadata.labels, wantedLabels(service)) && (metadata.ownerReferences ?? []).some(({ uid }) => uid === service.metadata.uid)
  );
}

function withMetadata(slice: Slice, service: DeepReadonly<Service>): Slice {
  const ownerReferences = [newControllerRef(service, { apiVersion: "v1", kind: "Service" })];
  return { ...slice, metadata: { ...slice.metadata, labels: wantedLabels(service), ownerReferences } };
}
