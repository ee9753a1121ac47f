// Who set which fields: metadata.managedFields, kept by every write.
import type { RequestScope, Resource } from "../../api/index.ts";
import { type DeepReadonly, type KubeObject, type ManagedFieldsEntry, trackUpdate } from "../../machinery/index.ts";
import type { Draft } from "./draft.ts";
import { storedResource } from "./key.ts";
import type { ServerContext } from "./server-context.ts";

export interface TrackedWrite {
  readonly context: Pick<ServerContext, "clock">;
  readonly scope: RequestScope;
  readonly draft: Draft;
  readonly old: DeepReadonly<KubeObject> | undefined;
}

/** Records in `draft` which fields the scope's manager has changed. */
export function trackFields({ context, scope, draft, old }: TrackedWrite): void {
  const { facts, apiVersion } = storedResource(scope.resource);
  const entries = trackUpdate({
    manager: managerOf(scope),
    facts,
    apiVersion,
    now: context.clock.now(),
    subresource: scope.subresource,
    resetFields: resetFields(scope.resource, scope.subresource),
    old,
    updated: draft,
    operation: "Update",
  });
  if (entries.length === 0) delete draft.metadata.managedFields;
  else draft.metadata.managedFields = entries as ManagedFieldsEntry[];
}

export function managerOf({ fieldManager = "" }: RequestScope): string {
  return fieldManager === "" ? "unknown" : fieldManager;
}

const ofMain = ["status"];
const ofStatus = ["spec"];
const none: readonly string[] = [];

/** Top-level fields that a write to the subresource cannot change. */
export function resetFields(resource: Resource, subresource: string): readonly string[] {
  if (subresource === "status") return ofStatus;
  return subresource === "" && resource.subresources["status"] !== undefined ? ofMain : none;
}
