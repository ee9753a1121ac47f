// Upstream's order of the built-in API groups: the priorities of their APIServices, which also order discovery.

export interface ApiServicePriority {
  readonly groupPriorityMinimum: number;
  readonly versionPriority: number;
}

/** Groups of CRDs, and built-in ones that have no place of their own. */
const OTHER_GROUPS = 1000;
const OTHER_VERSIONS = 100;

const groupPriorities: Readonly<Record<string, number>> = {
  "": 18000,
  apps: 17800,
  "events.k8s.io": 17750,
  "authentication.k8s.io": 17700,
  "authorization.k8s.io": 17600,
  autoscaling: 17500,
  batch: 17400,
  "certificates.k8s.io": 17300,
  "networking.k8s.io": 17200,
  policy: 17100,
  "rbac.authorization.k8s.io": 17000,
  "storage.k8s.io": 16800,
  "apiextensions.k8s.io": 16700,
  "admissionregistration.k8s.io": 16700,
  "scheduling.k8s.io": 16600,
  "coordination.k8s.io": 16500,
  "node.k8s.io": 16300,
  "discovery.k8s.io": 16200,
  "flowcontrol.apiserver.k8s.io": 16100,
  "resource.k8s.io": 15900,
};

const versionPriorities: Readonly<Record<string, number>> = { "/v1": 1, "autoscaling/v2": 30, "flowcontrol.apiserver.k8s.io/v1": 21 };
const USUAL_VERSION = 15;

/** The priority of a group and version that this server serves itself. */
export function localPriority(group: string, version: string): ApiServicePriority {
  const groupPriorityMinimum = groupPriorities[group];
  if (groupPriorityMinimum === undefined) return { groupPriorityMinimum: OTHER_GROUPS, versionPriority: OTHER_VERSIONS };
  return { groupPriorityMinimum, versionPriority: versionPriorities[`${group}/${version}`] ?? USUAL_VERSION };
}
