// Places pods where their ResourceClaims have devices, or can be given some, by structured parameters.
import { resources } from "../../../api/index.ts";
import type { AllocationResult, ResourceClaim } from "../../../api/types/resource/v1.ts";
import { CelCompileError, CelEvaluationError, type DeepReadonly } from "../../../machinery/index.ts";
import type { NodeInfo } from "../../cluster/node-info.ts";
import type { PodInfo } from "../../cluster/pod-info.ts";
import { wakesIf, wakesOn } from "../../framework/events.ts";
import { type Plugin, type PostFilterResult, type PreFilterResult, type Rejection, rejection } from "../../framework/plugin.ts";
import type { PluginContext } from "../registry.ts";
import { allocate, type Claim, neededClasses } from "./allocator.ts";
import { completeDevices, deviceId, isUsableOn, selects } from "./devices.ts";
import { podResourceClaims } from "./pod-resource-claims.ts";
import { deallocateClaim, releaseClaim, reserveClaim } from "./write-claims.ts";

type Allocation = DeepReadonly<AllocationResult>;

const NOT_AVAILABLE = "resourceclaim not available on the node";
const CANNOT_ALLOCATE = rejection("cannot allocate all claims");
/** A claim has at most so many consumers. */
const MAX_CONSUMERS = 256;

const unresolvable = (reason: string): Rejection => ({ reasons: [reason], isUnresolvable: true });

export function dynamicResources(context: PluginContext): Plugin {
  const { client, informers, logger } = context;
  const claims = informers.informer(resources.resourceclaims).lister;
  const slices = informers.informer(resources.resourceslices).lister;
  const classes = informers.informer(resources.deviceclasses).lister;
  /** Allocations that the lister does not show yet, by uid of the claim. */
  const inFlight = new Map<string, { readonly claim: Claim; readonly allocation: Allocation }>();
  const claimsOf = (pod: PodInfo) => podResourceClaims(pod, (name) => claims.get(pod.namespace, name));

  const allocationOf = ({ metadata, status }: Claim): Allocation | undefined =>
    status?.allocation ?? inFlight.get(metadata.uid ?? "")?.allocation;

  const usedDevices = (): Set<string> => {
    for (const [uid, { claim }] of inFlight) {
      const current = claims.get(claim.metadata.namespace ?? "", claim.metadata.name ?? "");
      if (current?.metadata.uid !== uid || current.status?.allocation !== undefined) inFlight.delete(uid);
    }
    const allocations = [
      ...claims.list().map(({ status }) => status?.allocation),
      ...[...inFlight.values()].map(({ allocation }) => allocation),
    ];
    const results = allocations.flatMap((allocation) => allocation?.devices?.results ?? []);
    return new Set(results.filter(({ adminAccess }) => adminAccess !== true).map(deviceId));
  };

  /** Answers for one node the allocations of the pod's claims that have none. */
  const allocatorFor = (pending: readonly Claim[]) => {
    const devices = pending.length === 0 ? [] : completeDevices(slices.list());
    const inUse = pending.length === 0 ? new Set<string>() : usedDevices();
    const deviceClass = (name: string) => classes.get("", name);
    return ({ node }: NodeInfo) =>
      allocate({ claims: pending, devices: devices.filter((device) => isUsableOn(device, node)), inUse, deviceClass });
  };

  const missingClass = (pending: readonly Claim[]): string | undefined => {
    const missing = pending.flatMap(neededClasses).find(({ className }) => classes.get("", className) === undefined);
    return missing === undefined ? undefined : `request ${missing.request}: device class ${missing.className} does not exist`;
  };

  const preFilter = (pod: PodInfo): PreFilterResult | Rejection | undefined => {
    if ((pod.pod.spec?.resourceClaims ?? []).length === 0) return undefined;
    const used = claimsOf(pod);
    if (typeof used === "string") return unresolvable(used);
    const isFull = ({ status }: Claim) =>
      (status?.reservedFor ?? []).length >= MAX_CONSUMERS && status?.reservedFor?.some(({ uid }) => uid === pod.uid) !== true;
    if (used.some(isFull)) return unresolvable("resourceclaim in use");
    const pending = used.filter((claim) => allocationOf(claim) === undefined);
    const missing = missingClass(pending);
    if (missing !== undefined) return unresolvable(missing);
    const selectors = used.flatMap((claim) => allocationOf(claim)?.nodeSelector ?? []);
    const allocateOn = allocatorFor(pending);
    const filter = (node: NodeInfo) => {
      if (!selectors.every((selector) => selects(selector, node.node))) return unresolvable(NOT_AVAILABLE);
      try {
        return allocateOn(node) === undefined ? CANNOT_ALLOCATE : undefined;
      } catch (error) {
        if (error instanceof CelCompileError || error instanceof CelEvaluationError) return unresolvable(`selector: ${error.message}`);
        throw error;
      }
    };
    return { filter: { filter } };
  };

  return {
    name: "DynamicResources",
    wakesOn: dynamicEvents(),
    preFilter,
    postFilter: (pod, { rejections }) =>
      deallocateOne(context, { pod, used: claimsOf(pod), isUnavailable: rejections.some(saysNotAvailable) }),
    reserve: (pod, node) => {
      const used = claimsOf(pod);
      if (typeof used === "string") return unresolvable(used);
      const pending = used.filter((claim) => allocationOf(claim) === undefined);
      const allocations = pending.length === 0 ? [] : allocatorFor(pending)(node);
      if (allocations === undefined) return CANNOT_ALLOCATE;
      for (const [index, claim] of pending.entries()) {
        const allocation = allocations[index];
        if (allocation !== undefined) inFlight.set(claim.metadata.uid ?? "", { claim, allocation });
      }
      return undefined;
    },
    unreserve: (pod) => {
      const used = claimsOf(pod);
      for (const claim of typeof used === "string" ? [] : used) {
        if (claim.status?.allocation === undefined) inFlight.delete(claim.metadata.uid ?? "");
        void releaseClaim(client, claim, pod).catch((error: unknown) => logger.warn("releasing a claim failed", { error: String(error) }));
      }
    },
    preBind: (pod, _, signal) => {
      const used = claimsOf(pod);
      if (typeof used === "string") throw new Error(used);
      if (used.length === 0) return undefined;
      const allocation = ({ metadata, status }: Claim) => (status?.allocation ? undefined : inFlight.get(metadata.uid ?? "")?.allocation);
      return Promise.all(used.map((claim) => reserveClaim(client, { claim, allocation: allocation(claim), pod }, signal))).then(() => {});
    },
  };
}

function saysNotAvailable({ rejection: { reasons } }: { readonly rejection: Rejection }): boolean {
  return reasons.includes(NOT_AVAILABLE);
}

interface Deallocation {
  readonly pod: PodInfo;
  readonly used: readonly Claim[] | string;
  /** Whether a node was rejected because of where a claim's devices are. */
  readonly isUnavailable: boolean;
}

/** A claim of the pod's that nobody else uses gives its devices back, when they are on the wrong node. */
function deallocateOne({ client, logger }: PluginContext, { pod, used, isUnavailable }: Deallocation): PostFilterResult {
  if (typeof used === "string" || used.length === 0) return { message: "no new claims to deallocate" };
  const isFree = ({ status }: Claim) => status?.allocation !== undefined && (status.reservedFor ?? []).every(({ uid }) => uid === pod.uid);
  const claim = isUnavailable ? used.find(isFree) : undefined;
  if (claim === undefined) return { message: "still not schedulable" };
  const pending = deallocateClaim(client, claim).catch((error: unknown) =>
    logger.warn("deallocating a claim failed", { error: String(error) }),
  );
  return { message: "deallocation of ResourceClaim completed", pending };
}

function dynamicEvents() {
  const isOwn = (pod: PodInfo, claim: DeepReadonly<ResourceClaim> | undefined) =>
    claim?.metadata.namespace === pod.namespace &&
    [...(pod.pod.spec?.resourceClaims ?? []), ...(pod.pod.status?.resourceClaimStatuses ?? [])].some(
      ({ resourceClaimName }) => resourceClaimName === claim?.metadata.name,
    );
  return [
    ...wakesOn("PodUpdate", "NodeAdd", "NodeUpdateLabel", "ResourceClaimDelete", "DeviceClassAdd", "DeviceClassUpdate"),
    ...wakesOn("ResourceSliceAdd", "ResourceSliceUpdate"),
    wakesIf<ResourceClaim>("ResourceClaimAdd", (pod, change) => isOwn(pod, change.new)),
    // Devices that another claim gives back may be what this pod waits for.
    wakesIf<ResourceClaim>("ResourceClaimUpdate", (pod, change) => {
      const isFreed = change.old?.status?.allocation !== undefined && change.new?.status?.allocation === undefined;
      return isFreed || isOwn(pod, change.new);
    }),
  ];
}
