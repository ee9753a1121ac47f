// Which labels a node may set on itself. By the others it could draw workloads to it.
import type { DeepReadonly, KubeObject } from "../../../machinery/index.ts";

const RESTRICTED = "node-restriction.kubernetes.io";
const known = new Set([
  "kubernetes.io/hostname",
  "kubernetes.io/arch",
  "kubernetes.io/os",
  "beta.kubernetes.io/arch",
  "beta.kubernetes.io/os",
  "beta.kubernetes.io/instance-type",
  "node.kubernetes.io/instance-type",
  "failure-domain.beta.kubernetes.io/region",
  "failure-domain.beta.kubernetes.io/zone",
  "topology.kubernetes.io/region",
  "topology.kubernetes.io/zone",
]);
const ownDomains = ["kubelet.kubernetes.io", "node.kubernetes.io"];

type Labels = Readonly<Record<string, string>>;

/** The labels that differ between the two and that a node must leave alone, sorted. */
export function forbiddenLabels(node: DeepReadonly<KubeObject>, old: DeepReadonly<KubeObject> | undefined): string[] {
  const now: Labels = node.metadata.labels ?? {};
  const before: Labels = old?.metadata.labels ?? {};
  const changed = [...new Set([...Object.keys(now), ...Object.keys(before)])].filter((key) => now[key] !== before[key]);
  return changed.filter(isForbidden).sort();
}

function isForbidden(label: string): boolean {
  const slash = label.indexOf("/");
  const domain = slash < 0 ? "" : label.slice(0, slash);
  const isIn = (parent: string) => domain === parent || domain.endsWith(`.${parent}`);
  if (isIn(RESTRICTED)) return true;
  return (isIn("kubernetes.io") || isIn("k8s.io")) && !known.has(label) && !ownDomains.some(isIn);
}
