// Who set which fields: metadata.managedFields, kept by every write.
import type { RequestScope, Resource } from "../../api/index.ts";
import { type DeepReadonly, type KubeObject, type ManagedFieldsEntry, trackUpdate } from "../../machinery/index.ts";
import type { AdmissionRequest } from "../admission/admission.ts";
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

/**
 * Lets admission change the request's object. Whose fields these are is settled before: what admission sets belongs to nobody.
 * What it writes into managedFields must make sense, or stays as it was.
 */
export async function admitMutations({ admission }: Pick<ServerContext, "admission">, request: AdmissionRequest): Promise<void> {
  const { object, scope } = request;
  const before = object?.metadata.managedFields;
  await admission.mutate(request);
  const after = object?.metadata.managedFields;
  const problem = after === before ? undefined : entryProblem(after);
  if (object === undefined || problem === undefined) return;
  if (before === undefined) delete object.metadata.managedFields;
  else object.metadata.managedFields = before;
  const cause = "this could be caused by an outdated mutating admission controller; please fix your requests";
  scope.warn?.(`.metadata.managedFields was in an invalid state after admission; ${cause}: ${problem}`);
}

function entryProblem(entries: readonly ManagedFieldsEntry[] | undefined): string | undefined {
  for (const { operation, fieldsType = "" } of entries ?? []) {
    if (operation !== "Apply" && operation !== "Update") return `invalid operation type: ${operation ?? ""}`;
    if (fieldsType === "") return "missing fieldsType in managed fields entry";
    if (fieldsType !== "FieldsV1") return `invalid fieldsType "${fieldsType}" in managed fields entry`;
  }
  return undefined;
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
