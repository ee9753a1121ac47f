// What a pod's claims would come to on a node: volumes that are there, and volumes to be made. Pure.
import { type Claim, type Class, findVolume, matchesNodeSelectorTerm, SELECTED_NODE, type Volume } from "../../../api/index.ts";
import type { Node, TopologySelectorTerm } from "../../../api/types/core/v1.ts";
import { type DeepReadonly, labelSelectorMatcher, parseQuantity } from "../../../machinery/index.ts";
import type { SchedulableClaims } from "./claims-of-pod.ts";
import type { StorageListers } from "./storage-listers.ts";

export interface VolumePlan {
  readonly bindings: readonly { readonly claim: Claim; readonly volume: Volume }[];
  /** Claims whose provisioner is to be told the node. */
  readonly provisions: readonly Claim[];
}

export interface VolumeSearch {
  readonly listers: StorageListers;
  /** Those that may be given to one of the waiting claims. */
  readonly free: readonly Volume[];
}

/** Volumes that suit one of the claims, on whatever node. `taken` are given away already and do not show it yet. */
export function freeVolumes(waiting: readonly Claim[], volumes: readonly Volume[], taken: ReadonlySet<string>): readonly Volume[] {
  return volumes.filter(
    (volume) => !taken.has(volume.metadata.name ?? "") && waiting.some((claim) => findVolume(claim, [volume], false) !== undefined),
  );
}

type ANode = DeepReadonly<Node>;

const NO_MATCH = "node(s) didn't find available persistent volumes to bind";
const NODE_CONFLICT = "node(s) had volume node affinity conflict";
const NO_SPACE = "node(s) did not have enough free storage";
const NO_VOLUME = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)";

/** Claims of such a class are never provisioned. */
const NO_PROVISIONER = "kubernetes.io/no-provisioner";

/** The plan, or why there is none. */
export function planVolumes(claims: SchedulableClaims, node: ANode, search: VolumeSearch): VolumePlan | readonly string[] {
  const { listers } = search;
  const volumes = claims.bound.map(({ spec }) => listers.volume(spec?.volumeName ?? ""));
  const reasons: string[] = [];
  if (volumes.some((volume) => volume !== undefined && !reaches(volume, node))) reasons.push(NODE_CONFLICT);
  if (volumes.includes(undefined)) reasons.push(NO_VOLUME);
  const plan = planWaiting(claims.waiting, node, search);
  if (typeof plan === "string") reasons.push(plan);
  return typeof plan === "string" || reasons.length > 0 ? reasons.sort() : plan;
}

function planWaiting(waiting: readonly Claim[], node: ANode, { listers, free }: VolumeSearch): VolumePlan | string {
  const bindings: VolumePlan["bindings"][number][] = [];
  const provisions: Claim[] = [];
  const gone = new Set<Volume>();
  for (const claim of waiting) {
    const selected = claim.metadata.annotations?.[SELECTED_NODE];
    if (selected !== undefined && selected !== node.metadata.name) return NO_MATCH;
    const reachable = free.filter((volume) => !gone.has(volume) && reaches(volume, node));
    const volume = selected === undefined ? findVolume(claim, reachable, false) : undefined;
    if (volume === undefined) {
      provisions.push(claim);
    } else {
      gone.add(volume);
      bindings.push({ claim, volume });
    }
  }
  for (const claim of provisions) {
    const why = whyNotProvisioned(claim, node, listers);
    if (why !== undefined) return why;
  }
  return { bindings, provisions };
}

/** Whether pods on the node can use the volume. */
export function reaches({ spec }: Volume, node: ANode): boolean {
  const required = spec?.nodeAffinity?.required;
  return required === undefined || required.nodeSelectorTerms.some((term) => matchesNodeSelectorTerm(node, term));
}

function whyNotProvisioned(claim: Claim, node: ANode, listers: StorageListers): string | undefined {
  const storageClass = listers.classOf(claim);
  if (storageClass === undefined || ["", NO_PROVISIONER].includes(storageClass.provisioner)) return NO_MATCH;
  if (!allowsTopology(storageClass.allowedTopologies, node)) return NO_MATCH;
  return hasCapacity({ claim, storageClass, node }, listers) ? undefined : NO_SPACE;
}

function allowsTopology(terms: readonly DeepReadonly<TopologySelectorTerm>[] = [], node: ANode): boolean {
  if (terms.length === 0) return true;
  return terms.some(({ matchLabelExpressions = [] }) =>
    matchLabelExpressions.every(({ key, values }) => values.includes(node.metadata.labels?.[key] ?? "")),
  );
}

interface CapacityQuestion {
  readonly claim: Claim;
  readonly storageClass: Class;
  readonly node: ANode;
}

/** Only drivers that publish their capacity are asked. */
function hasCapacity({ claim, storageClass, node }: CapacityQuestion, listers: StorageListers): boolean {
  if (listers.csiDriver(storageClass.provisioner)?.spec.storageCapacity !== true) return true;
  const wanted = claim.spec?.resources?.requests?.["storage"];
  if (wanted === undefined) return true;
  return listers.capacities().some(({ storageClassName, nodeTopology, maximumVolumeSize, capacity }) => {
    const limit = maximumVolumeSize ?? capacity;
    return (
      storageClassName === storageClass.metadata.name &&
      limit !== undefined &&
      parseQuantity(limit).compare(parseQuantity(wanted)) >= 0 &&
      labelSelectorMatcher(nodeTopology).matches(node.metadata.labels)
    );
  });
}
