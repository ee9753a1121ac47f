// What a quota's status is to say. Pure.
import type { QuotaEvaluator, ResourceList } from "../../api/index.ts";
import type { ResourceQuota, ResourceQuotaStatus } from "../../api/types/core/v1.ts";
import { type DeepReadonly, deepEqual, type KubeObject, parseQuantity } from "../../machinery/index.ts";

/** Undefined when the status says so already. */
export function quotaStatus({ spec, status }: DeepReadonly<ResourceQuota>, used: ResourceList): ResourceQuotaStatus | undefined {
  const hard = { ...spec?.hard };
  const isRight = deepEqual(status?.hard ?? {}, hard) && hasSameAmounts(status?.used ?? {}, used);
  return isRight && status?.hard !== undefined ? undefined : { hard, used: { ...used } };
}

function hasSameAmounts(a: ResourceList, b: ResourceList): boolean {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => {
    const [left, right] = [a[name], b[name]];
    return left !== undefined && right !== undefined && parseQuantity(left).compare(parseQuantity(right)) === 0;
  });
}

/** Whether the object takes something else than before. A moment that has come by itself is not seen. */
export function changesUsage(evaluator: QuotaEvaluator, old: DeepReadonly<KubeObject>, object: DeepReadonly<KubeObject>): boolean {
  return !deepEqual(evaluator.usage(old, 0), evaluator.usage(object, 0));
}
