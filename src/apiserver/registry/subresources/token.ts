// serviceaccounts/token: checks what the token shall be bound to and has it issued.
import type { RequestScope } from "../../../api/index.ts";
import { badRequest, conflict, type DeepReadonly, field, invalid, type KubeObject, notFound } from "../../../machinery/index.ts";
import { currentEntry, type ServerContext } from "../server-context.ts";
import { answer, type CreateSubresource } from "./subresource.ts";

export interface TokenRequestSpec {
  readonly audiences?: readonly string[];
  readonly expirationSeconds?: number;
  readonly boundObjectRef?: { readonly kind?: string; readonly apiVersion?: string; readonly name?: string; readonly uid?: string };
}

export interface IssuedToken {
  readonly token: string;
  readonly expirationTimestamp: string;
}

/** Signs tokens of service accounts. */
export interface TokenIssuer {
  /** The audiences of a token for which none were asked; absent: those that `issue` itself puts in. */
  readonly defaultAudiences?: readonly string[];
  /** `bound` is the object (pod, secret, node) whose end is the token's end as well. */
  issue(serviceAccount: DeepReadonly<KubeObject>, spec: TokenRequestSpec, bound?: DeepReadonly<KubeObject>): Promise<IssuedToken>;
}

const DEFAULT_EXPIRATION_SECONDS = 3600;
const MIN_EXPIRATION_SECONDS = 600;
const MAX_EXPIRATION_SECONDS = 2 ** 32;

export function createToken(issuer: TokenIssuer): CreateSubresource {
  return async (context, scope, body) => {
    const { resource, namespace, name } = scope;
    const account = await currentEntry(context, resource, namespace, name);
    if (account === undefined) throw notFound(resource, name);
    const given = (body["spec"] ?? {}) as TokenRequestSpec;
    const { expirationSeconds = DEFAULT_EXPIRATION_SECONDS, audiences = [], boundObjectRef } = given;
    checkExpiration(name, expirationSeconds);
    const wanted = audiences.length === 0 ? issuer.defaultAudiences : audiences;
    const spec = { ...given, expirationSeconds, ...(wanted === undefined ? {} : { audiences: wanted }) };
    const bound = boundObjectRef === undefined ? undefined : await boundObject(context, scope, boundObjectRef);
    const status = await issuer.issue(account.object, spec, bound);
    const { creationTimestamp } = account.object.metadata;
    return answer({
      kind: "TokenRequest",
      apiVersion: "authentication.k8s.io/v1",
      metadata: { name, namespace, creationTimestamp },
      spec,
      status,
    });
  };
}

function checkExpiration(name: string, seconds: number): void {
  const path = "spec.expirationSeconds";
  const errors = [];
  if (seconds < MIN_EXPIRATION_SECONDS) errors.push(field.invalid(path, seconds, "may not specify a duration less than 10 minutes"));
  if (seconds > MAX_EXPIRATION_SECONDS) errors.push(field.invalid(path, seconds, "may not specify a duration larger than 2^32 seconds"));
  if (errors.length > 0) throw invalid({ group: "authentication.k8s.io", kind: "TokenRequest" }, name, errors);
}

type BoundReference = NonNullable<TokenRequestSpec["boundObjectRef"]>;

/** The kinds that a token can be bound to. */
const boundPlurals: Readonly<Record<string, string>> = { Pod: "pods", Secret: "secrets", Node: "nodes" };

async function boundObject(context: ServerContext, scope: RequestScope, reference: BoundReference): Promise<DeepReadonly<KubeObject>> {
  const { kind = "", name = "", uid = "", apiVersion = "v1" } = reference;
  const plural = apiVersion === "v1" ? boundPlurals[kind] : undefined;
  const resource = plural === undefined ? undefined : context.catalog.find("", "v1", plural);
  if (resource === undefined) throw badRequest(`cannot bind token for serviceaccount "${scope.name}" to object of kind "${kind}"`);
  const entry = await currentEntry(context, resource, scope.namespace, name);
  if (entry === undefined) throw notFound(resource, name);
  const { metadata } = entry.object;
  if (uid !== "" && uid !== metadata.uid) {
    throw conflict(
      resource,
      name,
      `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  }
  const account = (entry.object as { readonly spec?: { readonly serviceAccountName?: string } }).spec?.serviceAccountName ?? "";
  if (kind === "Pod" && account !== scope.name) {
    throw badRequest(`cannot bind token for serviceaccount "${scope.name}" to pod running with different serviceaccount name.`);
  }
  return entry.object;
}
