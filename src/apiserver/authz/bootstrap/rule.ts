// Short forms in which the default roles are written.
import type { ClusterRole, PolicyRule } from "../../../api/types/rbac/v1.ts";

export const READ: readonly string[] = ["get", "list", "watch"];
export const WRITE: readonly string[] = ["create", "delete", "deletecollection", "patch", "update"];
export const READ_WRITE: readonly string[] = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

/** A rule on `group`'s resources; verbs and resources are separated by spaces. */
export function rule(verbs: string | readonly string[], group: string, resources: string, ...resourceNames: string[]): PolicyRule {
  return {
    apiGroups: [group],
    resources: resources.split(" "),
    ...(resourceNames.length === 0 ? {} : { resourceNames }),
    verbs: typeof verbs === "string" ? verbs.split(" ") : [...verbs],
  };
}

export function pathRule(verbs: string, ...nonResourceURLs: string[]): PolicyRule {
  return { nonResourceURLs, verbs: verbs.split(" ") };
}

/** Events in both groups: what nearly every component may write. */
export const eventsRule: PolicyRule = { apiGroups: ["", "events.k8s.io"], resources: ["events"], verbs: ["create", "patch", "update"] };

const bootstrapLabels = { "kubernetes.io/bootstrapping": "rbac-defaults" };
const autoupdate = { "rbac.authorization.kubernetes.io/autoupdate": "true" };

export const bootstrapMetadata = (name: string, labels: Record<string, string> = {}) => ({
  name,
  labels: { ...bootstrapLabels, ...labels },
  annotations: autoupdate,
});

export function clusterRole(name: string, rules: readonly PolicyRule[], labels: Record<string, string> = {}): ClusterRole {
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRole",
    metadata: bootstrapMetadata(name, labels),
    rules: [...rules],
  };
}

/** A role that consists of all roles labelled for `aggregateTo`. */
export function aggregatedRole(name: string, labels: Record<string, string> = {}): ClusterRole {
  return {
    ...clusterRole(name, [], labels),
    aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [`rbac.authorization.k8s.io/aggregate-to-${name}`]: "true" } }] },
  };
}
