// The audit policy (audit.k8s.io/v1): how much is recorded of a request. Pure.
import type { UserInfo } from "../../api/index.ts";
import type { RequestInfo } from "../front/request-info.ts";

export type AuditLevel = "None" | "Metadata" | "Request" | "RequestResponse";
export type AuditStage = "RequestReceived" | "ResponseStarted" | "ResponseComplete" | "Panic";

export interface PolicyRule {
  readonly level: AuditLevel;
  readonly users?: readonly string[];
  readonly userGroups?: readonly string[];
  readonly verbs?: readonly string[];
  readonly namespaces?: readonly string[];
  readonly resources?: readonly {
    readonly group?: string;
    readonly resources?: readonly string[];
    readonly resourceNames?: readonly string[];
  }[];
  readonly nonResourceURLs?: readonly string[];
  readonly omitStages?: readonly AuditStage[];
  readonly omitManagedFields?: boolean;
}

/** Policy of audit.k8s.io/v1. */
export interface AuditPolicy {
  readonly kind?: string;
  readonly apiVersion?: string;
  readonly rules: readonly PolicyRule[];
  readonly omitStages?: readonly AuditStage[];
  readonly omitManagedFields?: boolean;
}

/** What is recorded of one request. */
export interface AuditDecision {
  readonly level: AuditLevel;
  readonly omitStages: ReadonlySet<AuditStage>;
  readonly omitManagedFields: boolean;
}

export type Audited = Pick<RequestInfo, "isResource" | "verb" | "group" | "resource" | "subresource" | "namespace" | "name" | "path">;

const levels: readonly AuditLevel[] = ["None", "Metadata", "Request", "RequestResponse"];
const nothing: AuditDecision = { level: "None", omitStages: new Set(), omitManagedFields: false };

/** Whether `level` records at least what `least` does. */
export function isAtLeast(level: AuditLevel, least: AuditLevel): boolean {
  return levels.indexOf(level) >= levels.indexOf(least);
}

/** By the first rule that fits; a request that no rule fits is not recorded. `user` is undefined when nobody knows who asks. */
export function decide(policy: AuditPolicy, user: UserInfo | undefined, request: Audited): AuditDecision {
  const rule = policy.rules.find((candidate) => fits(candidate, user, request));
  if (rule === undefined || rule.level === "None") return nothing;
  return {
    level: rule.level,
    omitStages: new Set([...(policy.omitStages ?? []), ...(rule.omitStages ?? [])]),
    omitManagedFields: rule.omitManagedFields ?? policy.omitManagedFields ?? false,
  };
}

/** Throws for a policy that cannot be meant: what is wrong with it, in a sentence. */
export function checkPolicy(policy: AuditPolicy): void {
  if (!Array.isArray(policy.rules) || policy.rules.length === 0) throw new Error("the audit policy has no rules");
  for (const [index, rule] of policy.rules.entries()) {
    if (!levels.includes(rule.level)) throw new Error(`the audit policy's rule ${index} has no level of ${levels.join(", ")}`);
    const namesResources = (rule.resources?.length ?? 0) > 0 || (rule.namespaces?.length ?? 0) > 0;
    if (namesResources && (rule.nonResourceURLs?.length ?? 0) > 0) {
      throw new Error(`the audit policy's rule ${index} cannot apply to both regular resources and non-resource URLs`);
    }
  }
}

function fits(rule: PolicyRule, user: UserInfo | undefined, request: Audited): boolean {
  if (!isAmong(rule.users, user === undefined ? [] : [user.name])) return false;
  if (!isAmong(rule.userGroups, user?.groups ?? [])) return false;
  if (!isAmong(rule.verbs, [request.verb])) return false;
  const { namespaces = [], resources = [], nonResourceURLs = [] } = rule;
  if (namespaces.length > 0 || resources.length > 0) return request.isResource && fitsResource(rule, request);
  return nonResourceURLs.length === 0 || (!request.isResource && nonResourceURLs.some((url) => fitsPath(url, request.path)));
}

function fitsResource({ namespaces = [], resources = [] }: PolicyRule, request: Audited): boolean {
  if (namespaces.length > 0 && !namespaces.includes(request.namespace)) return false;
  if (resources.length === 0) return true;
  return resources.some(({ group = "", resources: names = [], resourceNames = [] }) => {
    if (group !== request.group) return false;
    if (names.length > 0 && !names.some((name) => fitsName(name, request))) return false;
    return resourceNames.length === 0 || resourceNames.includes(request.name);
  });
}

/** `pods`, `pods/log`, `pods/*`, `*`, `*​/scale`. */
function fitsName(name: string, { resource, subresource }: Audited): boolean {
  if (name === "*") return true;
  if (!name.includes("/")) return subresource === "" && name === resource;
  const [wanted, wantedSub] = name.split("/");
  return (wanted === "*" || wanted === resource) && (wantedSub === "*" || wantedSub === subresource) && subresource !== "";
}

function fitsPath(url: string, path: string): boolean {
  return url === path || (url.endsWith("*") && path.startsWith(url.slice(0, -1)));
}

function isAmong(wanted: readonly string[] | undefined, has: readonly string[]): boolean {
  return wanted === undefined || wanted.length === 0 || has.some((one) => wanted.includes(one));
}
