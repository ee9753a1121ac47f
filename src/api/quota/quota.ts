// What a ResourceQuota limits, and how much of it a set of objects uses: for admission, which counts ahead, and for the
// controller, which counts anew.
import type { DeepReadonly, KubeObject } from "../../machinery/index.ts";
import type { ResourceQuota } from "../types/core/v1.ts";
import { resourceClaimEvaluator, volumeClaimEvaluator } from "./claims.ts";
import { objectCountName, type QuotaEvaluator, type ScopeSelector } from "./evaluator.ts";
import { podEvaluator } from "./pods.ts";
import { addLists, pickNames, type ResourceList } from "./resource-list.ts";
import { serviceEvaluator } from "./services.ts";

/** The table's ids vouch for the kinds of the objects that the evaluators get. */
const asAny = <T extends KubeObject>(evaluator: QuotaEvaluator<T>) => evaluator as unknown as QuotaEvaluator;

/** By `group/plural`. */
const special: ReadonlyMap<string, QuotaEvaluator> = new Map([
  ["/pods", asAny(podEvaluator)],
  ["/services", asAny(serviceEvaluator)],
  ["/persistentvolumeclaims", asAny(volumeClaimEvaluator)],
  ["resource.k8s.io/resourceclaims", asAny(resourceClaimEvaluator)],
]);

/** Kinds that quotas also count under their plain name. */
const plainlyCounted = new Set(["/configmaps", "/replicationcontrollers", "/resourcequotas", "/secrets"]);
const objectCounts = new Map<string, QuotaEvaluator>();

/** How objects of a resource count; the number of objects for all that have no rules of their own. */
export function quotaEvaluator(group: string, plural: string): QuotaEvaluator {
  const id = `${group}/${plural}`;
  const known = special.get(id) ?? objectCounts.get(id);
  if (known !== undefined) return known;
  const names = [objectCountName(group, plural), ...(plainlyCounted.has(id) ? [plural] : [])];
  const usage = Object.fromEntries(names.map((name) => [name, "1"]));
  const evaluator: QuotaEvaluator = {
    counts: (name) => names.includes(name),
    handles: ({ operation, subresource }) => operation === "CREATE" && subresource === "",
    isInScope: () => false,
    usage: () => usage,
  };
  objectCounts.set(id, evaluator);
  return evaluator;
}

/** Both ways in which a quota can name its scopes. */
export function quotaScopes({ spec }: DeepReadonly<ResourceQuota>): ScopeSelector[] {
  const named = (spec?.scopes ?? []).map((scopeName) => ({ scopeName, operator: "Exists" }));
  return [...named, ...(spec?.scopeSelector?.matchExpressions ?? [])];
}

/** Whether an object falls into all scopes of a quota. */
export function isInQuotaScopes(quota: DeepReadonly<ResourceQuota>, evaluator: QuotaEvaluator, object: DeepReadonly<KubeObject>): boolean {
  return quotaScopes(quota).every((scope) => evaluator.isInScope(object, scope));
}

/**
 * How much of what a quota limits (`spec.hard`) is used: what `status.used` should be. `objects` is everything of the
 * quota's namespace in each resource that it counts.
 */
export function quotaUsage(
  quota: DeepReadonly<ResourceQuota>,
  objects: Iterable<{ readonly group: string; readonly plural: string; readonly items: readonly DeepReadonly<KubeObject>[] }>,
  nowMs: number,
): ResourceList {
  const limited = Object.keys(quota.spec?.hard ?? {});
  let used: ResourceList = Object.fromEntries(limited.map((name) => [name, "0"]));
  for (const { group, plural, items } of objects) {
    const evaluator = quotaEvaluator(group, plural);
    const own = new Set(limited.filter((name) => evaluator.counts(name)));
    if (own.size === 0) continue;
    for (const item of items) {
      if (isInQuotaScopes(quota, evaluator, item))
        used = addLists(
          used,
          pickNames(evaluator.usage(item, nowMs), (name) => own.has(name)),
        );
    }
  }
  return used;
}
