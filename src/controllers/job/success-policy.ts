// spec.successPolicy: which indexes are enough for the whole job.
import { IndexSet } from "../../api/index.ts";
import type { SuccessPolicy } from "../../api/types/batch/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";

/** The message of the first rule that is fulfilled; undefined when none is. */
export function matchSuccessPolicy(
  policy: DeepReadonly<SuccessPolicy> | undefined,
  succeeded: IndexSet,
  completions: number,
): string | undefined {
  if (succeeded.size === 0) return undefined;
  const index = (policy?.rules ?? []).findIndex(({ succeededIndexes, succeededCount }) => {
    if (succeededIndexes === undefined) return succeededCount !== undefined && succeeded.size >= succeededCount;
    const required = IndexSet.parse(succeededIndexes, completions);
    if (required.size === 0) return false;
    const reached = required.intersectionSize(succeeded);
    return reached === required.size || (succeededCount !== undefined && reached >= succeededCount);
  });
  return index < 0 ? undefined : `Matched rules at index ${index}`;
}
