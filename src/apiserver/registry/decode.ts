// From what a client sent to a private draft of the right kind.
import type { RequestScope, UncheckedObject, WriteOptions } from "../../api/index.ts";
import { badRequest, type DeepReadonly, deepEqual, type ObjectMeta, type TypeFacts } from "../../machinery/index.ts";
import type { Draft } from "./draft.ts";
import { knownFieldsOf } from "./field-check.ts";
import { storedResource } from "./key.ts";
import { toStoredForm } from "./stored-as.ts";

/**
 * Checks kind, fields, namespace and name of `body` against the request; answers it in stored form, with defaults. `kept` are more
 * members, which are known to be valid.
 */
export async function decodeBody(
  scope: RequestScope,
  body: UncheckedObject,
  options: WriteOptions,
  kept: Readonly<Record<string, unknown>> = {},
): Promise<Draft> {
  const { resource } = scope;
  checkKind(scope, body);
  const draft: Draft = Object.assign(knownFieldsOf(scope, body, resource, options), kept);
  draft.kind = resource.kind;
  draft.apiVersion = resource.apiVersion;
  draft.metadata ??= {};
  // Custom resources have what their schema says.
  if (resource.prune === undefined) for (const name of partsOf(resource.facts)) draft[name] ??= {};
  checkPlace(scope, draft.metadata);
  return applyDefaults(scope, await toStoredForm(resource, draft));
}

const parts = new WeakMap<TypeFacts, readonly string[]>();

/** The members that every object of a kind has, were it empty: what is wrong with them is told of the fields in them. */
function partsOf(facts: TypeFacts): readonly string[] {
  let known = parts.get(facts);
  if (known === undefined) {
    const objects = [...facts.fields.values()].filter(({ type }) => type.kind === "object");
    known = objects.filter(({ name, isRequired }) => name !== "metadata" && (isRequired || name === "spec")).map(({ name }) => name);
    parts.set(facts, known);
  }
  return known;
}

/** The same for what a patch has made of `standing`; but for metadata the draft shares with it the members that are as they were. */
export function decodePatched(scope: RequestScope, wanted: Draft, standing: Draft, options: WriteOptions): Promise<Draft> {
  const { prune, storedAs } = scope.resource;
  // A patch that changes nothing has the object written as it would be today, with all its defaults.
  const isWhole = prune !== undefined || storedAs !== undefined || deepEqual(wanted, standing);
  const changed: Record<string, unknown> = {};
  const kept: Record<string, unknown> = {};
  for (const name in wanted) {
    const isKept = !isWhole && wanted[name] === standing[name] && typeof wanted[name] === "object" && name !== "metadata";
    (isKept ? kept : changed)[name] = wanted[name];
  }
  return decodeBody(scope, changed, options, kept);
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
