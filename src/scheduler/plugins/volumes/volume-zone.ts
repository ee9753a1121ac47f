// Keeps pods in the zones of their volumes.

import { waitsForConsumer } from "../../../api/index.ts";
import type { Node } from "../../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../../machinery/index.ts";
import { wakesIf, wakesOn } from "../../framework/events.ts";
import { type Plugin, type PreFilterResult, type Rejection, rejection } from "../../framework/plugin.ts";
import type { PluginContext } from "../registry.ts";
import { type StorageListers, storageListers } from "./storage-listers.ts";
import { claimRules } from "./volume-binding.ts";

const OTHER_ZONE = rejection("node(s) had no available volume zone", { isUnresolvable: true });

const TOPOLOGY_LABELS = [
  "topology.kubernetes.io/zone",
  "topology.kubernetes.io/region",
  "failure-domain.beta.kubernetes.io/zone",
  "failure-domain.beta.kubernetes.io/region",
];

/** Between the values of a label that allows several. */
const SEPARATOR = "__";

interface ZoneDemand {
  readonly key: string;
  readonly values: readonly string[];
}

export function volumeZone({ informers }: PluginContext): Plugin {
  const listers = storageListers(informers);
  return {
    name: "VolumeZone",
    wakesOn: [
      ...claimRules(),
      ...wakesOn("StorageClassAdd", "NodeAdd", "PersistentVolumeAdd", "PersistentVolumeUpdate"),
      wakesIf<Node>("NodeUpdateLabel", () => true),
    ],
    preFilter: (pod): PreFilterResult | Rejection | undefined => {
      if (pod.claims.length === 0) return undefined;
      const demands = demandsOf(pod.claims, listers);
      if (typeof demands === "string") return { reasons: [demands], isUnresolvable: true };
      if (demands.length === 0) return undefined;
      return { filter: { filter: ({ node }) => (isIn(demands, node) ? undefined : OTHER_ZONE) } };
    },
  };
}

/** What the claims' volumes demand of a node's labels, or why that cannot be said. */
function demandsOf(claims: readonly string[], listers: StorageListers): ZoneDemand[] | string {
  const demands: ZoneDemand[] = [];
  for (const key of claims) {
    const claim = listers.claim(key);
    if (claim === undefined) return `persistentvolumeclaim "${key.slice(key.indexOf("/") + 1)}" not found`;
    const { volumeName = "" } = claim.spec ?? {};
    if (volumeName === "") {
      if (waitsForConsumer(listers.classOf(claim))) continue;
      return "PersistentVolumeClaim had no pv name and storageClass name";
    }
    const labels = listers.volume(volumeName)?.metadata.labels ?? {};
    for (const label of TOPOLOGY_LABELS) {
      const value = labels[label];
      if (value !== undefined) demands.push({ key: label, values: value.split(SEPARATOR) });
    }
  }
  return demands;
}

/** A node without any zone may use all volumes. */
function isIn(demands: readonly ZoneDemand[], { metadata: { labels = {} } }: DeepReadonly<Node>): boolean {
  if (TOPOLOGY_LABELS.every((label) => labels[label] === undefined)) return true;
  return demands.every(({ key, values }) => values.includes(labels[key] ?? ""));
}
