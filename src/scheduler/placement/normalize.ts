// Brings raw scores to the scale from 0 to 100.
import type { NodeInfo } from "../cluster/node-info.ts";
import { MAX_SCORE, type Normalization } from "../framework/plugin.ts";

/** In place; `scores` are of `nodes`. */
export function normalize(normalization: Normalization, scores: number[], nodes: readonly NodeInfo[]): void {
  if (normalization === "none") return;
  if (typeof normalization === "function") {
    normalization(scores, nodes);
    return;
  }
  const isReverse = normalization === "reverseMax";
  let maximum = 0;
  for (const score of scores) if (score > maximum) maximum = score;
  for (let index = 0; index < scores.length; index++) {
    const scaled = maximum === 0 ? 0 : Math.floor(((scores[index] ?? 0) * MAX_SCORE) / maximum);
    scores[index] = isReverse ? MAX_SCORE - scaled : scaled;
  }
}
