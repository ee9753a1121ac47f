// Writes what was decided about claims: their devices, and which pods may use them.
import { resources } from "../../../api/index.ts";
import type { AllocationResult, ResourceClaim } from "../../../api/types/resource/v1.ts";
import type { Client } from "../../../client/index.ts";
import type { DeepReadonly } from "../../../machinery/index.ts";
import type { PodInfo } from "../../cluster/pod-info.ts";
import type { Claim } from "./allocator.ts";

/** Keeps an allocated claim until nothing uses it. */
const FINALIZER = "resource.kubernetes.io/delete-protection";

/** Allocates the claim, unless it is (`allocation` undefined), and reserves it for the pod; answers it as it is then. Throws when it has changed. */
export async function reserveClaim(
  client: Client,
  {
    claim,
    allocation,
    pod,
  }: { readonly claim: Claim; readonly allocation: DeepReadonly<AllocationResult> | undefined; readonly pod: PodInfo },
  signal: AbortSignal,
): Promise<Claim> {
  const { namespace, finalizers = [] } = claim.metadata;
  let current = claim;
  if (allocation !== undefined && !finalizers.includes(FINALIZER)) {
    const metadata = { ...claim.metadata, finalizers: [...finalizers, FINALIZER] };
    current = await client.update<ResourceClaim>(resources.resourceclaims, { ...claim, metadata }, { namespace, signal });
  }
  const reservedFor = current.status?.reservedFor ?? [];
  if (allocation === undefined && reservedFor.some(({ uid }) => uid === pod.uid)) return current;
  const consumer = { resource: "pods", name: pod.pod.metadata.name ?? "", uid: pod.uid };
  const status = { ...current.status, ...(allocation === undefined ? {} : { allocation }), reservedFor: [...reservedFor, consumer] };
  return client.update<ResourceClaim>(resources.resourceclaims, { ...current, status }, { namespace, subresource: "status", signal });
}

/** The pod does not use the claim after all; what is allocated stays. */
export async function releaseClaim(client: Client, claim: Claim, { uid }: PodInfo): Promise<void> {
  const reservedFor = claim.status?.reservedFor ?? [];
  if (!reservedFor.some((consumer) => consumer.uid === uid)) return;
  const status = { ...claim.status, reservedFor: reservedFor.filter((consumer) => consumer.uid !== uid) };
  await client.update<ResourceClaim>(
    resources.resourceclaims,
    { ...claim, status },
    { namespace: claim.metadata.namespace, subresource: "status" },
  );
}

/** Takes the claim's devices away, so that others can be found. */
export async function deallocateClaim(client: Client, claim: Claim): Promise<void> {
  const { allocation: _, reservedFor: __, devices: ___, ...status } = claim.status ?? {};
  await client.update<ResourceClaim>(
    resources.resourceclaims,
    { ...claim, status },
    { namespace: claim.metadata.namespace, subresource: "status" },
  );
}
