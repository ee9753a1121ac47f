// A question to an authorizer in the form of authorization.k8s.io's SubjectAccessReview: what webhooks are sent, and what the
// expressions see that choose the questions they are sent.
import { CelEnvironment, type CelType, listOf, objectOf } from "../../machinery/cel/index.ts";
import type { AuthorizationAttributes } from "./authorizer.ts";
import { selectorAttributes } from "./request-selectors.ts";

export interface SubjectAccessReviewSpec {
  readonly resourceAttributes?: Readonly<Record<string, unknown>>;
  readonly nonResourceAttributes?: { readonly path: string; readonly verb: string };
  readonly user: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
  readonly uid?: string;
}

/** Members that are empty are left out, as in upstream's JSON. */
export function reviewSpec({ user, path, verb, ...attributes }: AuthorizationAttributes): SubjectAccessReviewSpec {
  const { namespace, group, version, resource, subresource, name } = attributes;
  const asked = path === undefined ? { namespace, verb, group, version, resource, subresource, name } : { path, verb };
  return {
    ...(path === undefined
      ? { resourceAttributes: { ...withoutEmpty(asked), ...selectorAttributes(attributes) } }
      : { nonResourceAttributes: { path, verb } }),
    user: user.name,
    groups: user.groups,
    ...(user.extra === undefined ? {} : { extra: user.extra }),
    ...(user.uid === undefined ? {} : { uid: user.uid }),
  };
}

/** The SubjectAccessReview as a version of its group has it: v1beta1 calls the groups `group`. */
export function reviewIn(version: "v1" | "v1beta1", { groups, ...spec }: SubjectAccessReviewSpec): object {
  const named = version === "v1" ? { groups } : { group: groups };
  return { kind: "SubjectAccessReview", apiVersion: `authorization.k8s.io/${version}`, metadata: {}, spec: { ...spec, ...named } };
}

/** The variable `request` of matchConditions. */
export function conditionVariables({ user, path, verb, ...attributes }: AuthorizationAttributes): { readonly request: object } {
  const { namespace, group, version, resource, subresource, name } = attributes;
  return {
    request: {
      ...(path === undefined
        ? { resourceAttributes: { namespace, verb, group, version, resource, subresource, name, ...selectorAttributes(attributes) } }
        : { nonResourceAttributes: { path, verb } }),
      user: user.name,
      groups: user.groups,
      uid: user.uid ?? "",
      ...(user.extra === undefined ? {} : { extra: user.extra }),
    },
  };
}

function withoutEmpty(texts: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(texts).filter(([, value]) => value !== ""));
}

function texts(...names: readonly string[]): Record<string, CelType> {
  return Object.fromEntries(names.map((name) => [name, "string"]));
}

function selectorType(of: "Field" | "Label"): CelType {
  const requirement = objectOf(`kubernetes.${of}SelectorRequirement`, { ...texts("key", "operator"), values: listOf("string") });
  return objectOf(`kubernetes.${of}SelectorAttributes`, { rawSelector: "string", requirements: listOf(requirement) });
}

/** Of matchConditions. */
export const conditionEnvironment = new CelEnvironment({
  variables: {
    request: objectOf("kubernetes.SubjectAccessReviewSpec", {
      ...texts("user", "uid"),
      groups: listOf("string"),
      extra: { kind: "map", key: "string", value: listOf("string") },
      resourceAttributes: objectOf("kubernetes.ResourceAttributes", {
        ...texts("namespace", "verb", "group", "version", "resource", "subresource", "name"),
        fieldSelector: selectorType("Field"),
        labelSelector: selectorType("Label"),
      }),
      nonResourceAttributes: objectOf("kubernetes.NonResourceAttributes", texts("path", "verb")),
    }),
  },
});
