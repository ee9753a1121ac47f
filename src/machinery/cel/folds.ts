// The comprehensions: going through the items of a list or the keys of a map with one or two variables bound.

import type { FoldKind } from "./ast.ts";
import { celCompare } from "./equality.ts";
import { CelCostError, CelEvaluationError } from "./errors.ts";
import type { Evaluation, Frame } from "./evaluator.ts";
import { CelList, isMap, LiteralMap, normalKey } from "./values.ts";

/** A comprehension ready to run. */
export interface Fold {
  readonly fold: FoldKind;
  /** One variable: the item or key. Two: index and item, or key and value. */
  readonly arity: number;
  readonly frame: Frame;
  readonly filter?: Evaluation;
  readonly body: Evaluation;
}

/** One step: what the variables are bound to, and what that stands for in the result. */
interface Step {
  readonly bound: readonly unknown[];
  /** The element, or the key of a map. */
  readonly item: unknown;
}

/** Runs a comprehension over a list or map. */
export function evaluateFold(fold: Fold, range: unknown): unknown {
  const steps = stepsOf(range, fold.arity);
  switch (fold.fold) {
    case "all":
      return quantify(fold, steps, false);
    case "exists":
      return quantify(fold, steps, true);
    case "existsOne": {
      let count = 0;
      for (const step of steps) if (truth(run(fold, fold.body, step))) count++;
      return count === 1;
    }
    case "filter":
      return CelList.of([...steps].filter((step) => truth(run(fold, fold.body, step))).map(({ item }) => item));
    case "map":
      return CelList.of(selected(fold, steps).map((step) => run(fold, fold.body, step)));
    case "sortBy":
      return sortBy(fold, steps);
    case "transformMap":
      return new LiteralMap(new Map(selected(fold, steps).map((step) => [normalKey(step.bound[0]), run(fold, fold.body, step)])));
    case "transformMapEntry":
      return mergeEntries(selected(fold, steps).map((step) => run(fold, fold.body, step)));
  }
}

function* stepsOf(range: unknown, arity: number): Generator<Step> {
  if (range instanceof CelList) {
    let position = 0n;
    for (const item of range) {
      yield { bound: arity === 1 ? [item] : [position, item], item };
      position++;
    }
  } else if (isMap(range)) {
    for (const key of range.keys()) yield { bound: arity === 1 ? [key] : [key, range.get(key)], item: key };
  } else throw new CelEvaluationError("no such overload");
}

function run({ frame }: Fold, evaluation: Evaluation, { bound }: Step): unknown {
  frame.budget.spend(1);
  frame.locals.push(...bound);
  try {
    return evaluation(frame);
  } finally {
    frame.locals.length -= bound.length;
  }
}

function selected(fold: Fold, steps: Iterable<Step>): Step[] {
  const { filter } = fold;
  return filter === undefined ? [...steps] : [...steps].filter((step) => truth(run(fold, filter, step)));
}

/** An item whose predicate fails does not matter if another one decides. */
function quantify(fold: Fold, steps: Iterable<Step>, decisive: boolean): boolean {
  let failure: CelEvaluationError | undefined;
  for (const step of steps) {
    try {
      if (truth(run(fold, fold.body, step)) === decisive) return decisive;
    } catch (err) {
      if (!(err instanceof CelEvaluationError) || err instanceof CelCostError) throw err;
      failure ??= err;
    }
  }
  if (failure !== undefined) throw failure;
  return !decisive;
}

function sortBy(fold: Fold, steps: Iterable<Step>): CelList {
  const keyed = [...steps].map((step) => ({ item: step.item, key: run(fold, fold.body, step) }));
  return CelList.of(keyed.sort((left, right) => celCompare(left.key, right.key)).map(({ item }) => item));
}

function mergeEntries(maps: readonly unknown[]): LiteralMap {
  const merged = new Map<unknown, unknown>();
  for (const map of maps) {
    if (!isMap(map)) throw new CelEvaluationError("no such overload");
    for (const key of map.keys()) {
      if (merged.has(key)) throw new CelEvaluationError(`insert failed: key ${String(key)} already exists`);
      merged.set(key, map.get(key));
    }
  }
  return new LiteralMap(merged);
}

function truth(value: unknown): boolean {
  if (typeof value === "boolean") return value;
  throw new CelEvaluationError("no such overload");
}
