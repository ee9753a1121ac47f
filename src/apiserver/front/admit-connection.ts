// Authorization and admission of connections (exec, attach, port-forward, proxy): they never come to the registry, which
// would see to both.
import type { RequestScope, ResourceCatalog } from "../../api/index.ts";
import { type Authorizer, refusal } from "../authz/authorizer.ts";
import { connectOptions } from "./connect-options.ts";
import type { Exchange } from "./exchange.ts";

export interface ConnectionGuards {
  readonly catalog: ResourceCatalog;
  readonly authorizer: Authorizer;
  /** Asked before a connection is made; rejects to refuse it. Absent: all are admitted. */
  readonly admit?: ((scope: RequestScope, options: Readonly<Record<string, unknown>>) => Promise<void>) | undefined;
}

/** Rejects with Forbidden unless the user may do `verb` on what the request names. */
export async function authorizeRequest({ user, info }: Exchange, authorizer: Authorizer, verb = info.verb): Promise<void> {
  const { group, version, resource, subresource, namespace, name } = info;
  const attributes = { user, verb, group, version, resource, subresource, namespace, name };
  const decision = await authorizer.authorize(attributes);
  if (!decision.allowed) throw refusal(attributes, decision);
}

/** Rejects as admission does. Logs are read, not connected to. */
export async function admitConnection({ user, info }: Exchange, { catalog, admit }: ConnectionGuards): Promise<void> {
  const { group, version, resource: plural, namespace, name, subresource } = info;
  const resource = catalog.find(group, version, plural);
  if (resource === undefined || subresource === "log") return;
  const kind = resource.subresources[subresource]?.kind ?? "";
  await admit?.({ user, resource, namespace, name, subresource }, connectOptions(kind, info));
}
