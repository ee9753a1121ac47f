// Which service accounts a namespace lacks.
import type { Namespace } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";

/** What pods run as that name no other. */
export const DEFAULT_SERVICE_ACCOUNT = "default";

/** Whether things may be made in the namespace. */
export function isActive(namespace: DeepReadonly<Namespace> | undefined): boolean {
  return namespace?.status?.phase === "Active" && namespace.metadata.deletionTimestamp === undefined;
}

/** Names of the accounts to make, given those that are there. */
export function missingServiceAccounts(namespace: DeepReadonly<Namespace> | undefined, has: (name: string) => boolean): readonly string[] {
  return isActive(namespace) && !has(DEFAULT_SERVICE_ACCOUNT) ? [DEFAULT_SERVICE_ACCOUNT] : [];
}
