// Resources that are only asked, never stored: access reviews and token reviews.
import type { RequestScope, UncheckedObject, UserInfo } from "../../../api/index.ts";
import { badRequest } from "../../../machinery/index.ts";
import type { AuthorizationAttributes, Authorizer } from "../../authz/authorizer.ts";
import { knownFieldsOf } from "../field-check.ts";
import { answer, type CreateSubresource } from "./subresource.ts";

/** Who a bearer token belongs to, or what is wrong with it, for these `audiences` (none: the server's own). */
export type TokenReviewer = (
  token: string,
  audiences: readonly string[],
) => Promise<{ readonly user: UserInfo; readonly audiences: readonly string[] } | { readonly problem: string }>;

interface ReviewSpec {
  readonly resourceAttributes?: Readonly<Record<string, string | undefined>>;
  readonly nonResourceAttributes?: { readonly path?: string; readonly verb?: string };
  readonly user?: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
  readonly namespace?: string;
  readonly token?: string;
  readonly audiences?: readonly string[];
}

interface ReviewTools {
  readonly authorizer: Authorizer;
  readonly reviewToken?: TokenReviewer | undefined;
}

/** The answers of the review kinds, by `group/plural`. */
export function reviewHandlers(tools: ReviewTools): ReadonlyMap<string, CreateSubresource> {
  const review =
    (status: (scope: RequestScope, spec: ReviewSpec) => object | Promise<object>): CreateSubresource =>
    async (_context, scope, body, options) => {
      const asked = knownFieldsOf(scope, body, scope.resource, options) as UncheckedObject;
      const spec = (asked["spec"] ?? {}) as ReviewSpec;
      return answer(reviewed(scope, asked, await status(scope, spec)));
    };
  const access = (user: UserInfo, spec: ReviewSpec) => accessStatus(tools.authorizer, user, spec);
  return new Map([
    ["authorization.k8s.io/subjectaccessreviews", review((_scope, spec) => access(subject(spec), spec))],
    ["authorization.k8s.io/localsubjectaccessreviews", review((scope, spec) => access(subject(spec), inNamespace(scope, spec)))],
    ["authorization.k8s.io/selfsubjectaccessreviews", review(({ user }, spec) => access(user, spec))],
    ["authorization.k8s.io/selfsubjectrulesreviews", review(({ user }, spec) => rulesStatus(tools.authorizer, user, spec))],
    ["authentication.k8s.io/selfsubjectreviews", review(({ user }) => ({ userInfo: userStatus(user) }))],
    ["authentication.k8s.io/tokenreviews", review((_scope, spec) => tokenStatus(tools.reviewToken, spec))],
  ]);
}

function reviewed({ resource }: RequestScope, body: UncheckedObject, status: object): object {
  const { kind, apiVersion } = resource;
  const spec = body["spec"];
  return { kind, apiVersion, metadata: body.metadata ?? {}, ...(spec === undefined ? {} : { spec }), status };
}

function subject({ user = "", uid, groups = [], extra }: ReviewSpec): UserInfo {
  if (user === "" && groups.length === 0) throw badRequest("at least one of user or group must be specified");
  return { name: user, groups, ...(uid === undefined ? {} : { uid }), ...(extra === undefined ? {} : { extra }) };
}

function inNamespace({ namespace }: RequestScope, spec: ReviewSpec): ReviewSpec {
  const attributes = spec.resourceAttributes;
  if (attributes?.["namespace"] !== namespace)
    throw badRequest(`spec.resourceAttributes.namespace must match metadata.namespace (${namespace})`);
  return spec;
}

async function accessStatus(authorizer: Authorizer, user: UserInfo, spec: ReviewSpec): Promise<object> {
  const { allowed, denied = false, reason, error } = await authorizer.authorize(attributesOf(user, spec));
  return {
    allowed,
    ...(denied ? { denied } : {}),
    ...(reason === "" ? {} : { reason }),
    ...(error === undefined ? {} : { evaluationError: error }),
  };
}

function attributesOf(user: UserInfo, { resourceAttributes, nonResourceAttributes }: ReviewSpec): AuthorizationAttributes {
  if (resourceAttributes === undefined) {
    if (nonResourceAttributes === undefined)
      throw badRequest("exactly one of nonResourceAttributes or resourceAttributes must be specified");
    const { path = "", verb = "" } = nonResourceAttributes;
    return { user, verb, path, group: "", version: "", resource: "", subresource: "", namespace: "", name: "" };
  }
  const { verb = "", group = "", version = "", resource = "", subresource = "", namespace = "", name = "" } = resourceAttributes;
  return { user, verb, group, version, resource, subresource, namespace, name };
}

function rulesStatus(authorizer: Authorizer, user: UserInfo, { namespace = "" }: ReviewSpec): object {
  if (namespace === "") throw badRequest("no namespace on request");
  const rules = authorizer.rulesFor?.(user, namespace);
  return rules ?? { resourceRules: [], nonResourceRules: [], incomplete: true, evaluationError: "the authorizer does not tell rules" };
}

async function tokenStatus(reviewToken: TokenReviewer | undefined, { token = "", audiences = [] }: ReviewSpec): Promise<object> {
  if (token === "") throw badRequest("token is required for TokenReview in authentication");
  const found = (await reviewToken?.(token, audiences)) ?? { problem: "the server takes no tokens" };
  if ("problem" in found) return { user: {}, error: found.problem };
  return { authenticated: true, user: userStatus(found.user), audiences: found.audiences };
}

function userStatus({ name, uid, groups, extra }: UserInfo): object {
  return { username: name, ...(uid === undefined ? {} : { uid }), groups, ...(extra === undefined ? {} : { extra }) };
}
