// Whether a write fits into the quotas of its namespace, and what they count afterwards.
import {
  addLists,
  exceedingNames,
  formatList,
  isInQuotaScopes,
  negativeNames,
  pickNames,
  type QuotaEvaluator,
  type QuotaRequest,
  type ResourceList,
  subtractLists,
  withoutZeros,
} from "../../../api/index.ts";
import type { ResourceQuota } from "../../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../../machinery/index.ts";

/** A write that may use up quota. */
export interface Charge {
  readonly evaluator: QuotaEvaluator;
  readonly request: QuotaRequest;
}

/** A quota and what it counts by now, which is ahead of its `status.used`. */
export interface Account {
  readonly quota: DeepReadonly<ResourceQuota>;
  readonly used: ResourceList;
}

/** Why the write is refused, or the accounts that it changes. */
export type Verdict = { readonly refusal: string } | { readonly changed: readonly Account[] };

export function accountOf(quota: DeepReadonly<ResourceQuota>): Account {
  return { quota, used: quota.status?.used ?? {} };
}

/** Only what the quota controller has taken up (`status.hard`) limits anything. */
export function planCharge(accounts: readonly Account[], charge: Charge, nowMs: number): Verdict {
  const { evaluator, request } = charge;
  const interested = accounts.filter(
    ({ quota }) => limitedNames(quota, evaluator).length > 0 && isInQuotaScopes(quota, evaluator, request.object),
  );
  for (const { quota, used } of interested) {
    const refusal = incomplete(quota, used, charge);
    if (refusal !== undefined) return { refusal };
  }
  if (interested.length === 0) return { changed: [] };
  const usage = evaluator.usage(request.object, nowMs);
  const negative = negativeNames(usage);
  if (negative.length > 0) return { refusal: `quota usage is negative for resource(s): ${negative.join(",")}` };
  const changed: Account[] = [];
  for (const { quota, used } of interested) {
    const delta = addedBy(charge, quota, { usage, nowMs });
    if (Object.keys(delta).length === 0) continue;
    const total = addLists(used, delta);
    const hard = quota.status?.hard ?? {};
    const exceeding = new Set(
      exceedingNames(
        pickNames(total, (name) => name in delta),
        hard,
      ),
    );
    if (exceeding.size > 0) return { refusal: exceededText(quota, exceeding, { delta, used, hard }) };
    changed.push({ quota, used: total });
  }
  return { changed };
}

function limitedNames({ status }: DeepReadonly<ResourceQuota>, evaluator: QuotaEvaluator): string[] {
  return Object.keys(status?.hard ?? {}).filter((name) => evaluator.counts(name));
}

function incomplete(quota: DeepReadonly<ResourceQuota>, used: ResourceList, { evaluator, request }: Charge): string | undefined {
  const limited = limitedNames(quota, evaluator);
  const missing = evaluator.missing?.(request.object, limited);
  if (missing !== undefined) return `failed quota: ${quota.metadata.name}: ${missing}`;
  if (limited.every((name) => used[name] !== undefined)) return undefined;
  return `status unknown for quota: ${quota.metadata.name}, resources: ${limited.sort().join(",")}`;
}

/** What the write adds to a quota; what an update gives back is left to the controller. */
function addedBy(
  { evaluator, request }: Charge,
  quota: DeepReadonly<ResourceQuota>,
  { usage, nowMs }: { readonly usage: ResourceList; readonly nowMs: number },
): ResourceList {
  const hard = quota.status?.hard ?? {};
  const { old } = request;
  const wasCounted = old !== undefined && isInQuotaScopes(quota, evaluator, old);
  const difference = withoutZeros(wasCounted ? subtractLists(usage, evaluator.usage(old, nowMs)) : usage);
  const negative = new Set(negativeNames(difference));
  return pickNames(difference, (name) => name in hard && !negative.has(name));
}

function exceededText(
  { metadata }: DeepReadonly<ResourceQuota>,
  exceeding: ReadonlySet<string>,
  { delta, used, hard }: { readonly delta: ResourceList; readonly used: ResourceList; readonly hard: ResourceList },
): string {
  const text = (list: ResourceList) => formatList(pickNames(list, (name) => exceeding.has(name)));
  return `exceeded quota: ${metadata.name}, requested: ${text(delta)}, used: ${text(used)}, limited: ${text(hard)}`;
}
