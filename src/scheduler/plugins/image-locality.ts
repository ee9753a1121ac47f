import { LruMap } from "../../client/index.ts";
import type { ClusterState } from "../cluster/cluster-state.ts";
import { normalizedImageName } from "../cluster/images.ts";
import type { NodeInfo } from "../cluster/node-info.ts";
import type { PodInfo } from "../cluster/pod-info.ts";
import { type ClusterScorer, MAX_SCORE, type Plugin } from "../framework/plugin.ts";

const MEBIBYTE = 2 ** 20;
/** Images smaller than this together are not worth going for; beyond the larger one nothing is gained. */
const MIN_BYTES = 23 * MEBIBYTE;
const MAX_BYTES_PER_CONTAINER = 1000 * MEBIBYTE;

/** Pods' sets of images for which the nodes are remembered. */
const MAX_REMEMBERED = 256;

/** Rather nodes that have the pod's large images; an image on few nodes draws less, so that those are not flooded. */
export function imageLocality(): Plugin {
  const known = new LruMap<string, { readonly version: string; readonly scorer: ClusterScorer | undefined }>(MAX_REMEMBERED);
  return {
    name: "ImageLocality",
    preScore: (pod, cluster): ClusterScorer | undefined => {
      const images = imagesOf(pod);
      const key = images.join(" ");
      const version = `${cluster.images.version} ${cluster.nodeCount}`;
      let found = known.get(key);
      if (found?.version !== version) {
        found = { version, scorer: scorerOf(images, cluster) };
        known.set(key, found);
      }
      return found.scorer;
    },
  };
}

/** Undefined when no node has any of the images. */
function scorerOf(images: readonly string[], cluster: ClusterState): ClusterScorer | undefined {
  const bytes = bytesBySlot(images, cluster);
  if (bytes.size === 0) return undefined;
  const score = ({ slot }: NodeInfo) => priority(bytes.get(slot) ?? 0, images.length);
  return { normalization: "none", score, likeness: score };
}

function imagesOf({ pod }: PodInfo): string[] {
  const { initContainers = [], containers = [], volumes = [] } = pod.spec ?? {};
  const images = [...initContainers, ...containers].map(({ image = "" }) => normalizedImageName(image));
  for (const { image } of volumes) if (image?.reference !== undefined) images.push(normalizedImageName(image.reference));
  return images;
}

/** By slot: how much of the images is there, weighed by how many nodes have it. */
function bytesBySlot(images: readonly string[], cluster: ClusterState): Map<number, number> {
  const bytes = new Map<number, number>();
  for (const image of images) {
    const nodes = cluster.images.nodesWith(image);
    for (const [slot, size] of nodes ?? []) {
      bytes.set(slot, (bytes.get(slot) ?? 0) + Math.trunc((size * (nodes?.size ?? 0)) / cluster.nodeCount));
    }
  }
  return bytes;
}

function priority(bytes: number, containers: number): number {
  const most = MAX_BYTES_PER_CONTAINER * containers;
  const counted = Math.min(Math.max(bytes, MIN_BYTES), most);
  return Math.floor((MAX_SCORE * (counted - MIN_BYTES)) / (most - MIN_BYTES));
}
