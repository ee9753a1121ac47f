// The groups and versions that are served, in upstream's order.
import type { Resource } from "../../api/index.ts";
import { localPriority } from "../aggregator/priorities.ts";
import type { RemoteGroupVersion } from "../aggregator/remote-discovery.ts";

/** A version of a group: served here, or by another server. */
export interface ServedVersion {
  readonly version: string;
  readonly resources: readonly Resource[];
  readonly remote?: RemoteGroupVersion;
}

export interface GroupVersions {
  readonly group: string;
  /** Preferred first. */
  readonly versions: readonly ServedVersion[];
}

/** The aggregator's own group comes first, as upstream has it. */
const OWN_GROUP = "apiregistration.k8s.io";
const OWN_PRIORITY = 17900;
const stabilityRanks: Readonly<Record<string, number>> = { "": 2, beta: 1, alpha: 0 };

/** A group while it is put together. */
interface Gathered {
  readonly local: Map<string, Resource[]>;
  readonly remote: RemoteGroupVersion[];
}

/** Every group with its versions and their resources; what another server serves hides what would be served here. */
export function groupsOf(resources: readonly Resource[], remote: readonly RemoteGroupVersion[] = []): GroupVersions[] {
  const groups = new Map<string, Gathered>();
  const groupOf = (name: string): Gathered => {
    const known = groups.get(name) ?? { local: new Map<string, Resource[]>(), remote: [] };
    groups.set(name, known);
    return known;
  };
  for (const resource of resources) {
    const { local } = groupOf(resource.group);
    local.set(resource.version, [...(local.get(resource.version) ?? []), resource]);
  }
  for (const served of remote) {
    const group = groupOf(served.group);
    group.local.delete(served.version);
    group.remote.push(served);
  }
  return [...groups]
    .sort(([a, left], [b, right]) => priorityOf(b, right) - priorityOf(a, left) || (a < b ? -1 : 1))
    .map(([group, gathered]) => ({ group, versions: versionsOf(group, gathered) }));
}

/** The highest that one of its versions asks for. */
function priorityOf(group: string, { local, remote }: Gathered): number {
  const own = group === OWN_GROUP ? OWN_PRIORITY : localPriority(group, "").groupPriorityMinimum;
  return Math.max(local.size === 0 ? 0 : own, ...remote.map(({ groupPriorityMinimum }) => groupPriorityMinimum));
}

function versionsOf(group: string, { local, remote }: Gathered): ServedVersion[] {
  const own = [...local].map(([version, list]) => ({
    version,
    resources: list.toSorted((a, b) => (a.resource < b.resource ? -1 : 1)),
    priority: localPriority(group, version).versionPriority,
  }));
  const others = remote.map((served) => ({ version: served.version, resources: [], remote: served, priority: served.versionPriority }));
  return [...own, ...others]
    .sort((a, b) => b.priority - a.priority || compareVersions(b.version, a.version))
    .map(({ priority: _, ...served }) => served);
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
