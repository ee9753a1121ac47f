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

/**
 * `existing`: the service's slices that this controller manages.
 * @see kubernetes `staging/src/k8s.io/endpointslice/reconciler.go`
 */
export function planSlices(input: EndpointsInput & { readonly existing: readonly Slice[] }): SlicePlan {
  const { service, existing } = input;
  const plan: MutablePlan = { create: [], update: [], delete: [] };
  const types = addressTypesOf(service);
  plan.delete.push(...existing.filter((slice) => !types.some((type) => type === slice.addressType)));
  let waitsForNode = false;
  for (const type of types) {
    const desired = desiredGroups(input, type);
    waitsForNode ||= desired.waitsForNode;
    const ofType = existing.filter((slice) => slice.addressType === type);
    planType(plan, { service, type, existing: ofType, groups: desired.groups });
  }
  return { ...plan, waitsForNode };
}

interface TypeInput {
  readonly service: DeepReadonly<Service>;
  readonly type: AddressType;
  readonly existing: readonly Slice[];
  readonly groups: ReadonlyMap<string, EndpointGroup>;
}

function planType(plan: MutablePlan, { service, type, existing, groups }: TypeInput): void {
  const byPorts = Map.groupBy(existing, (slice) => portsKey(slice.ports));
  const unwanted = existing.filter((slice) => !groups.has(portsKey(slice.ports)));
  for (const [key, group] of groups) planGroup(plan, { service, type, existing: byPorts.get(key) ?? [], group });
  if (groups.size > 0) {
    plan.delete.push(...unwanted);
    return;
  }
  // A service without endpoints keeps one empty slice, so that its consumers see that it has none.
  const placeholder = newSlice(service, type, { ports: [], endpoints: [] });
  const kept = unwanted.find((slice) => (slice.endpoints ?? []).length === 0 && (slice.ports ?? []).length === 0);
  plan.delete.push(...unwanted.filter((slice) => slice !== kept));
  if (kept === undefined) plan.create.push(placeholder);
  else if (!hasWantedMetadata(kept, service)) plan.update.push(withMetadata(kept, service));
}

interface GroupInput {
  readonly service: DeepReadonly<Service>;
  readonly type: AddressType;
  readonly existing: readonly Slice[];
  readonly group: EndpointGroup;
}

/** A slice with the endpoints it is to hold. */
interface Filling {
  readonly slice: Slice;
  readonly endpoints: DeepReadonly<Endpoint>[];
}

function planGroup(plan: MutablePlan, { service, type, existing, group }: GroupInput): void {
  const missing = new Map<string, DeepReadonly<Endpoint>>(group.endpoints);
  const { changed, unchanged } = keepWanted(existing, missing, service);
  const rest = [...missing.values()];
  // 1. Slices that are written anyway take what they can, the fullest first.
  changed.sort((a, b) => b.endpoints.length - a.endpoints.length);
  for (const filling of changed) fill(filling, rest);
  // 2. What is left goes into one more slice with room, the fullest that has enough of it.
  if (rest.length > 0 && rest.length < MAX_ENDPOINTS_PER_SLICE) {
    const roomy = unchanged.filter(({ endpoints }) => endpoints.length + rest.length <= MAX_ENDPOINTS_PER_SLICE);
    roomy.sort((a, b) => b.endpoints.length - a.endpoints.length);
    const [target] = roomy;
    if (target !== undefined) {
      fill(target, rest);
      changed.push(target);
    }
  }
  // 3. New slices for the others.
  while (rest.length > 0) {
    plan.create.push(newSlice(service, type, { ports: group.ports, endpoints: rest.splice(0, MAX_ENDPOINTS_PER_SLICE) }));
  }
  for (const { slice, endpoints } of changed) {
    if (endpoints.length === 0) plan.delete.push(slice);
    else plan.update.push({ ...withMetadata(slice, service), endpoints });
  }
}

/** Sorts the slices by whether they must be written; takes what they hold already out of `missing`. */
function keepWanted(
  existing: readonly Slice[],
  missing: Map<string, DeepReadonly<Endpoint>>,
  service: DeepReadonly<Service>,
): { readonly changed: Filling[]; readonly unchanged: Filling[] } {
  const changed: Filling[] = [];
  const unchanged: Filling[] = [];
  for (const slice of existing) {
    const endpoints: DeepReadonly<Endpoint>[] = [];
    let isChanged = !hasWantedMetadata(slice, service);
    for (const endpoint of slice.endpoints ?? []) {
      const key = endpointKey(endpoint);
      const wanted = missing.get(key);
      missing.delete(key);
      if (wanted !== undefined) endpoints.push(wanted);
      if (wanted === undefined || !deepEqual(endpoint, wanted)) isChanged = true;
    }
    (isChanged ? changed : unchanged).push({ slice, endpoints });
  }
  return { changed, unchanged };
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
