// Resources that are only asked, never stored: access reviews and token reviews.
import type { RequestScope, UncheckedObject, UserInfo } from "../../../api/index.ts";
import type { ResourceAttributes } from "../../../api/types/authorization/v1.ts";
import { badRequest, type DeepReadonly, type FieldError, field, invalid, type LabelSelectorRequirement } from "../../../machinery/index.ts";
import type { AuthorizationAttributes, Authorizer } from "../../authz/authorizer.ts";
import { reviewedSelectors } from "../../authz/request-selectors.ts";
import { aggregated } from "../../authz/union-authorizer.ts";
import { knownFieldsOf } from "../field-check.ts";
import { answer, type CreateSubresource } from "./subresource.ts";

/** Who a bearer token belongs to, or what is wrong with it, for these `audiences` (none: the server's own). */
export type TokenReviewer = (
  token: string,
  audiences: readonly string[],
) => Promise<{ readonly user: UserInfo; readonly audiences: readonly string[] } | { readonly problem: string }>;

interface ReviewSpec {
  readonly resourceAttributes?: DeepReadonly<ResourceAttributes>;
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
  const access = (scope: RequestScope, user: UserInfo, spec: ReviewSpec, problems: readonly FieldError[] = []) => {
    const all = [...attributeProblems(spec), ...problems];
    if (all.length > 0) throw invalid(scope.resource, "", all);
    return accessStatus(tools.authorizer, user, spec);
  };
  return new Map([
    ["authorization.k8s.io/subjectaccessreviews", review((scope, spec) => access(scope, subject(spec), spec, subjectProblems(spec)))],
    [
      "authorization.k8s.io/localsubjectaccessreviews",
      review((scope, spec) => access(scope, subject(spec), spec, [...subjectProblems(spec), ...placeProblems(scope, spec)])),
    ],
    ["authorization.k8s.io/selfsubjectaccessreviews", review((scope, spec) => access(scope, scope.user, spec))],
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
  return { name: user, groups, ...(uid === undefined ? {} : { uid }), ...(extra === undefined ? {} : { extra }) };
}

/** @see kubernetes `pkg/apis/authorization/validation/validation.go` */
function attributeProblems({ resourceAttributes, nonResourceAttributes }: ReviewSpec): FieldError[] {
  if (resourceAttributes !== undefined && nonResourceAttributes !== undefined) {
    const detail = "cannot be specified in combination with resourceAttributes";
    return [field.invalid("spec.nonResourceAttributes", nonResourceAttributes, detail)];
  }
  if (resourceAttributes !== undefined) return selectorProblems(resourceAttributes);
  if (nonResourceAttributes !== undefined) return [];
  const detail = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
  return [field.invalid("spec.resourceAttributes", null, detail)];
}

function selectorProblems({ fieldSelector, labelSelector }: DeepReadonly<ResourceAttributes>): FieldError[] {
  return Object.entries({ fieldSelector, labelSelector }).flatMap(([name, selector]) => {
    if (selector === undefined) return [];
    const path = `spec.resourceAttributes.${name}`;
    const { rawSelector = "", requirements = [] } = selector;
    if (rawSelector !== "" && requirements.length > 0) {
      return [field.invalid(`${path}.rawSelector`, rawSelector, "may not specified at the same time as requirements")];
    }
    if (rawSelector === "" && requirements.length === 0) {
      return [field.required(`${path}.requirements`, `when ${path} is specified, requirements or rawSelector is required`)];
    }
    return requirements.flatMap((requirement, index) => requirementProblems(`${path}.requirements[${index}]`, requirement));
  });
}

/** Operators of later versions are let pass: the evaluation passes them over. */
function requirementProblems(path: string, { key, operator, values = [] }: DeepReadonly<LabelSelectorRequirement>): FieldError[] {
  const errors: FieldError[] = key === "" ? [field.required(`${path}.key`, "must be specified")] : [];
  if ((operator === "In" || operator === "NotIn") && values.length === 0) {
    errors.push(field.required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
  }
  if ((operator === "Exists" || operator === "DoesNotExist") && values.length > 0) {
    errors.push(field.forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
  }
  return errors;
}

function subjectProblems({ user = "", groups = [] }: ReviewSpec): FieldError[] {
  return user === "" && groups.length === 0 ? [field.invalid("spec.user", user, "at least one of user or group must be specified")] : [];
}

function placeProblems({ namespace }: RequestScope, { resourceAttributes, nonResourceAttributes }: ReviewSpec): FieldError[] {
  const asked = resourceAttributes?.["namespace"] ?? "";
  const isElsewhere = resourceAttributes !== undefined && asked !== namespace;
  return [
    ...(isElsewhere ? [field.invalid("spec.resourceAttributes.namespace", asked, "must match metadata.namespace")] : []),
    ...(nonResourceAttributes === undefined
      ? []
      : [field.invalid("spec.nonResourceAttributes", nonResourceAttributes, "disallowed on this kind of request")]),
  ];
}

async function accessStatus(authorizer: Authorizer, user: UserInfo, spec: ReviewSpec): Promise<object> {
  const { fieldSelector, labelSelector } = spec.resourceAttributes ?? {};
  const { selectors, problems } = reviewedSelectors(fieldSelector, labelSelector);
  const { allowed, denied = false, reason, error } = await authorizer.authorize({ ...attributesOf(user, spec), ...selectors });
  const errors = [...(error === undefined ? [] : [error]), ...problems];
  return {
    allowed,
    ...(denied ? { denied } : {}),
    ...(reason === "" ? {} : { reason }),
    ...(errors.length === 0 ? {} : { evaluationError: aggregated(errors) }),
  };
}

function attributesOf(user: UserInfo, { resourceAttributes, nonResourceAttributes }: ReviewSpec): AuthorizationAttributes {
  if (resourceAttributes === undefined) {
    const { path = "", verb = "" } = nonResourceAttributes ?? {};
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
