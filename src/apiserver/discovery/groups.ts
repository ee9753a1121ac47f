// The groups and versions that are served, in upstream's order.
import type { Resource } from "../../api/index.ts";

export interface GroupVersions {
  readonly group: string;
  /** Preferred first. */
  readonly versions: readonly { readonly version: string; readonly resources: readonly Resource[] }[];
}

/** groupPriorityMinimum of upstream's APIServices, first to last; groups of CRDs follow by name. */
const groupOrder = [
  "",
  "apiregistration.k8s.io",
  "apps",
  "events.k8s.io",
  "authentication.k8s.io",
  "authorization.k8s.io",
  "autoscaling",
  "batch",
  "certificates.k8s.io",
  "networking.k8s.io",
  "policy",
  "rbac.authorization.k8s.io",
  "storage.k8s.io",
  "admissionregistration.k8s.io",
  "apiextensions.k8s.io",
  "scheduling.k8s.io",
  "coordination.k8s.io",
  "node.k8s.io",
  "discovery.k8s.io",
  "resource.k8s.io",
  "flowcontrol.apiserver.k8s.io",
  "metrics.k8s.io",
];
const groupRanks = new Map(groupOrder.map((group, rank) => [group, rank]));
const stabilityRanks: Readonly<Record<string, number>> = { "": 2, beta: 1, alpha: 0 };

/** Every group with its versions and their resources. */
export function groupsOf(resources: readonly Resource[]): GroupVersions[] {
  const groups = new Map<string, Map<string, Resource[]>>();
  for (const resource of resources) {
    const versions = groups.get(resource.group) ?? new Map<string, Resource[]>();
    groups.set(resource.group, versions);
    versions.set(resource.version, [...(versions.get(resource.version) ?? []), resource]);
  }
  return [...groups]
    .sort(([a], [b]) => rankOf(a) - rankOf(b) || (a < b ? -1 : 1))
    .map(([group, versions]) => ({
      group,
      versions: [...versions]
        .sort(([a], [b]) => compareVersions(b, a))
        .map(([version, list]) => ({ version, resources: list.toSorted((a, b) => (a.resource < b.resource ? -1 : 1)) })),
    }));
}

function rankOf(group: string): number {
  return groupRanks.get(group) ?? groupOrder.length;
}

/** v2 > v1 > v1beta2 > v1beta1 > v1alpha1 > others by name; positive when `a` is preferred to `b`. */
export function compareVersions(a: string, b: string): number {
  const left = parseVersion(a);
  const right = parseVersion(b);
  if (left === undefined || right === undefined) {
    if (left !== undefined || right !== undefined) return left === undefined ? -1 : 1;
    return a < b ? 1 : a > b ? -1 : 0;
  }
  return left.stability - right.stability || left.major - right.major || left.minor - right.minor;
}

const versionPattern = /^v(\d+)(?:(alpha|beta)(\d+))?$/;

function parseVersion(version: string) {
  const match = versionPattern.exec(version);
  if (match === null) return undefined;
  return { major: Number(match[1]), stability: stabilityRanks[match[2] ?? ""] ?? 0, minor: Number(match[3] ?? 0) };
}
