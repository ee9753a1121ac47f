// From what a client sent to a private draft of the right kind.
import type { RequestScope, Resource, UncheckedObject, WriteOptions } from "../../api/index.ts";
import { badRequest, type DeepReadonly, type ObjectMeta } from "../../machinery/index.ts";
import type { Draft } from "./draft.ts";
import { knownFieldsOf } from "./field-check.ts";
import { storedResource } from "./key.ts";
import { toStoredForm } from "./stored-as.ts";

/** Checks kind, fields, namespace and name of `body` against the request; answers it in stored form, with defaults. */
export async function decodeBody(scope: RequestScope, body: UncheckedObject, options: WriteOptions): Promise<Draft> {
  const { resource } = scope;
  checkKind(scope, body);
  const draft = knownFieldsOf(scope, body, resource, options);
  draft.kind = resource.kind;
  draft.apiVersion = resource.apiVersion;
  draft.metadata ??= {};
  checkPlace(scope, draft.metadata);
  return applyDefaults(scope, await toStoredForm(resource, draft));
}

/**
 * The same for what a patch has made of `standing`, which is in the version of the request. Where only metadata has changed, the draft
 * shares all else with `standing`: it is valid and has its defaults.
 */
export async function decodePatched(scope: RequestScope, wanted: Draft, standing: Draft, options: WriteOptions): Promise<Draft> {
  if (!changesMetadataAlone(scope.resource, wanted, standing)) return decodeBody(scope, wanted as unknown as UncheckedObject, options);
  const { metadata } = knownFieldsOf(scope, { metadata: wanted.metadata }, scope.resource, options);
  checkPlace(scope, metadata);
  return applyDefaults(scope, { ...standing, metadata });
}

function changesMetadataAlone({ prune, storedAs }: Resource, wanted: Draft, standing: Draft): boolean {
  if (prune !== undefined || storedAs !== undefined || wanted.metadata === standing.metadata) return false;
  for (const name in wanted) if (name !== "metadata" && wanted[name] !== standing[name]) return false;
  for (const name in standing) if (!(name in wanted)) return false;
  return true;
}

/** Sets what the client left out; `draft` is in stored form. */
export function applyDefaults(scope: RequestScope, draft: Draft): Draft {
  const stored = storedResource(scope.resource);
  stored.strategy.applyDefaults?.(draft);
  return draft;
}

function checkKind({ resource }: RequestScope, body: UncheckedObject): void {
  const { kind = "", apiVersion = "" } = body as { kind?: unknown; apiVersion?: unknown };
  const hasKind = kind === "" || kind === null || kind === resource.kind;
  const hasVersion = apiVersion === "" || apiVersion === null || apiVersion === resource.apiVersion;
  if (hasKind && hasVersion) return;
  throw badRequest(
    `${String(kind)} in version "${String(apiVersion)}" cannot be handled as a ${resource.kind}: expected ${resource.apiVersion}, Kind=${resource.kind}`,
  );
}

function checkPlace({ resource, namespace, name }: RequestScope, metadata: ObjectMeta): void {
  if (!resource.namespaced) {
    delete metadata.namespace;
  } else if (metadata.namespace === undefined || metadata.namespace === "") {
    metadata.namespace = namespace;
  } else if (metadata.namespace !== namespace) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
  if (name === "") return;
  if (metadata.name === undefined || metadata.name === "") throw badRequest("name must be provided");
  if (metadata.name !== name) {
    throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`);
  }
}

/** Metadata that only the server sets; `old` is what stands now. */
export function keepServerMetadata(metadata: ObjectMeta, old: DeepReadonly<ObjectMeta>): void {
  const kept = ["uid", "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds"] as const;
  for (const name of kept) {
    if (old[name] === undefined) delete metadata[name];
    else Object.assign(metadata, { [name]: old[name] });
  }
  delete metadata.selfLink;
}
