// How NodeResourcesFit scores: room left, room used, or a curve over the utilization.
import { MAX_SCORE } from "../framework/plugin.ts";
import { DEFAULT_RESOURCES, type ResourceSpec, type ResourceUse } from "./resource-scoring.ts";

export interface UtilizationShapePoint {
  /** Percent. */
  readonly utilization: number;
  /** 0 to 10. */
  readonly score: number;
}

export interface ScoringStrategy {
  readonly type?: "LeastAllocated" | "MostAllocated" | "RequestedToCapacityRatio";
  readonly resources?: readonly ResourceSpec[];
  readonly requestedToCapacityRatio?: { readonly shape?: readonly UtilizationShapePoint[] };
}

/** The score of one resource, and how it is rounded over several. */
export interface ResourceScorer {
  score(use: ResourceUse): number;
  /** Whether a resource of score 0 has no weight. */
  readonly skipsZero: boolean;
  round(average: number): number;
  readonly resources: readonly ResourceSpec[];
}

/** Upstream's scale of shapes. */
const MAX_SHAPE_SCORE = 10;

/** The share of what there is that is left, 0 to 100. */
function leastAllocated({ requested, allocatable }: ResourceUse): number {
  return requested > allocatable ? 0 : Math.floor(((allocatable - requested) * MAX_SCORE) / allocatable);
}

function mostAllocated({ requested, allocatable }: ResourceUse): number {
  return Math.floor((Math.min(requested, allocatable) * MAX_SCORE) / allocatable);
}

/** Straight lines between the points. */
export function brokenLinear(shape: readonly UtilizationShapePoint[], utilization: number): number {
  const scale = MAX_SCORE / MAX_SHAPE_SCORE;
  const after = shape.findIndex((point) => utilization <= point.utilization);
  const to = shape[after];
  if (to === undefined) return (shape.at(-1)?.score ?? 0) * scale;
  const from = shape[after - 1];
  if (from === undefined) return to.score * scale;
  const rise = Math.trunc(((to.score - from.score) * scale * (utilization - from.utilization)) / (to.utilization - from.utilization));
  return from.score * scale + rise;
}

export function resourceScorer({ type = "LeastAllocated", resources, requestedToCapacityRatio }: ScoringStrategy = {}): ResourceScorer {
  const common = { skipsZero: false, round: Math.floor, resources: (resources ?? DEFAULT_RESOURCES).map(withWeight) };
  switch (type) {
    case "LeastAllocated":
      return { ...common, score: leastAllocated };
    case "MostAllocated":
      return { ...common, score: mostAllocated };
    case "RequestedToCapacityRatio": {
      const shape = requestedToCapacityRatio?.shape ?? [];
      const score = ({ requested, allocatable }: ResourceUse) =>
        brokenLinear(shape, requested > allocatable ? 100 : Math.floor((requested * 100) / allocatable));
      return { ...common, skipsZero: true, round: Math.round, score };
    }
  }
}

/** Weight 1 where none is set. */
export function withWeight({ name, weight }: ResourceSpec): ResourceSpec {
  return { name, weight: weight || 1 };
}
