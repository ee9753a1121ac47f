// Places pods where their ResourceClaims have devices, or can be given some, by structured parameters.
import type { ResourceClaim } from "../../../api/types/resource/v1.ts";
import { CelCompileError, CelEvaluationError, type DeepReadonly } from "../../../machinery/index.ts";
import type { NodeInfo } from "../../cluster/node-info.ts";
import type { PodInfo } from "../../cluster/pod-info.ts";
import { wakesIf, wakesOn } from "../../framework/events.ts";
import { type Plugin, type PostFilterResult, type PreFilterResult, type Rejection, rejection } from "../../framework/plugin.ts";
import type { PluginContext } from "../registry.ts";
import { type Claim, preferenceOf } from "./allocator.ts";
import { ClaimAllocations } from "./claim-allocations.ts";
import { selects } from "./devices.ts";
import { deallocateClaim, releaseClaim, reserveClaim } from "./write-claims.ts";

const NOT_AVAILABLE = "resourceclaim not available on the node";
const CANNOT_ALLOCATE = rejection("cannot allocate all claims");
/** A claim has at most so many consumers. */
const MAX_CONSUMERS = 256;

const unresolvable = (reason: string): Rejection => ({ reasons: [reason], isUnresolvable: true });

export function dynamicResources(context: PluginContext): Plugin {
  const { client, logger } = context;
  const allocations = new ClaimAllocations(context);
  const preFilter = (pod: PodInfo): PreFilterResult | Rejection | undefined => {
    if ((pod.pod.spec?.resourceClaims ?? []).length === 0) return undefined;
    const used = allocations.claimsOf(pod);
    if (typeof used === "string") return unresolvable(used);
    if (used.some((claim) => isFull(claim, pod))) return unresolvable("resourceclaim in use");
    const missing = allocations.missingClass(used);
    if (missing !== undefined) return unresolvable(missing);
    return { filter: { filter: nodeFilter(used, allocations) } };
  };
  return {
    name: "DynamicResources",
    weight: 2,
    wakesOn: dynamicEvents(),
    preFilter,
    preScore: (pod) => {
      const used = allocations.claimsOf(pod);
      if (typeof used === "string" || !used.some(hasAlternatives)) return undefined;
      const choose = allocations.chooser(used);
      return { normalization: "max", score: (node) => preferenceOf(choose(node) ?? []) };
    },
    postFilter: (pod, { rejections }) =>
      deallocateOne(context, { pod, used: allocations.claimsOf(pod), isUnavailable: rejections.some(saysNotAvailable) }),
    reserve: (pod, node) => {
      const used = allocations.claimsOf(pod);
      if (typeof used === "string") return unresolvable(used);
      return allocations.reserve(used, node) ? undefined : CANNOT_ALLOCATE;
    },
    unreserve: (pod) => {
      const used = allocations.claimsOf(pod);
      for (const claim of typeof used === "string" ? [] : used) {
        allocations.giveUp(claim);
        void releaseClaim(client, claim, pod).catch((error: unknown) => logger.warn("releasing a claim failed", { error: String(error) }));
      }
    },
    preBind: (pod, _, signal) => {
      const used = allocations.claimsOf(pod);
      if (typeof used === "string") throw new Error(used);
      if (used.length === 0) return undefined;
      // Another pod that shares the claim has given it up.
      if (used.some((claim) => allocations.of(claim) === undefined)) throw new Error("a claim of the pod is no longer allocated");
      const writes = used.map((claim) => reserveClaim(client, { claim, allocation: allocations.unwritten(claim), pod }, signal));
      return Promise.all(writes).then((written) => allocations.prepared(written, signal));
    },
  };
}

function hasAlternatives({ spec }: Claim): boolean {
  return (spec.devices?.requests ?? []).some(({ firstAvailable = [] }) => firstAvailable.length > 0);
}

function isFull({ status }: Claim, { uid }: PodInfo): boolean {
  const { reservedFor = [] } = status ?? {};
  return reservedFor.length >= MAX_CONSUMERS && !reservedFor.some((consumer) => consumer.uid === uid);
}

/** Judges nodes by where allocated claims can be used, and whether the others can be allocated. */
function nodeFilter(used: readonly Claim[], allocations: ClaimAllocations): (node: NodeInfo) => Rejection | undefined {
  const selectors = used.flatMap((claim) => allocations.of(claim)?.nodeSelector ?? []);
  const choose = allocations.chooser(used);
  const isFailed = used.some((claim) => allocations.isBindingFailed(claim));
  return (node) => {
    if (isFailed || !selectors.every((selector) => selects(selector, node.node))) return unresolvable(NOT_AVAILABLE);
    try {
      return choose(node) === undefined ? CANNOT_ALLOCATE : undefined;
    } catch (error) {
      if (error instanceof CelCompileError || error instanceof CelEvaluationError) return unresolvable(`selector: ${error.message}`);
      throw error;
    }
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
    ...wakesOn("ResourceSliceAdd", "ResourceSliceUpdate", "DeviceTaintRuleUpdate", "DeviceTaintRuleDelete"),
    wakesIf<ResourceClaim>("ResourceClaimAdd", (pod, change) => isOwn(pod, change.new)),
    // Devices that another claim gives back may be what this pod waits for.
    wakesIf<ResourceClaim>("ResourceClaimUpdate", (pod, change) => {
      const isFreed = change.old?.status?.allocation !== undefined && change.new?.status?.allocation === undefined;
      return isFreed || isOwn(pod, change.new);
    }),
  ];
}
