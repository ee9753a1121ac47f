// pods/eviction: a deletion that asks the pod's disruption budgets first.
import type { RequestScope } from "../../../api/index.ts";
import type { Pod } from "../../../api/types/core/v1.ts";
import type { PodDisruptionBudget } from "../../../api/types/policy/v1.ts";
import { badRequest, type DeepReadonly, type DeleteOptions, isConflict, labelSelectorMatcher, notFound } from "../../../machinery/index.ts";
import { loopbackUser } from "../../authz/watched-collection.ts";
import type { CacheEntry } from "../../watch-cache/cache-entry.ts";
import { deleteObject } from "../delete-path.ts";
import { draftOf } from "../draft.ts";
import { currentEntry, type ServerContext } from "../server-context.ts";
import { replaceObject } from "../update-path.ts";
import {
  evictedConditions,
  ignoresBudgets,
  isFreeOfCharge,
  mayBecomeReady,
  severalBudgets,
  stillProcessing,
  withDisruption,
} from "./eviction-plan.ts";
import { answer, type CreateSubresource } from "./subresource.ts";

/** How often a pod that changes meanwhile is looked at again. */
const MAX_ATTEMPTS = 20;
const BUDGETS_PREFIX = "/registry/policy/poddisruptionbudgets/";
const success = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 };

interface Eviction {
  readonly metadata?: { readonly name?: string };
  readonly deleteOptions?: DeleteOptions;
}

export const createEviction: CreateSubresource = async (context, scope, body, options) => {
  const { metadata, deleteOptions = {} } = body as unknown as Eviction;
  if ((metadata?.name ?? "") !== scope.name) throw badRequest("name in URL does not match name in Eviction object");
  const isDryRun = options.dryRun === true || (deleteOptions.dryRun ?? []).length > 0;
  const deletion = { ...deleteOptions, ...(isDryRun ? { dryRun: ["All"] } : {}) };
  await evict(context, { ...scope, subresource: "" }, deletion);
  return answer(success);
};

/** A pod that asks no budget is looked at again when it has changed meanwhile: then it may have to. */
async function evict(context: ServerContext, scope: RequestScope, deletion: DeleteOptions): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    await context.cache.waitForNewest();
    const entry = await currentEntry(context, scope.resource, scope.namespace, scope.name);
    if (entry === undefined) throw notFound(scope.resource, scope.name);
    const pod = entry.object as DeepReadonly<Pod>;
    if (!ignoresBudgets(pod)) return evictGuarded(context, scope, { entry, deletion });
    try {
      return await remove(context, scope, { entry, deletion, mustNotChange: mayBecomeReady(pod) });
    } catch (error) {
      if (!isConflict(error) || deletion.preconditions?.resourceVersion !== undefined || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}

async function evictGuarded(context: ServerContext, scope: RequestScope, target: Omit<Removal, "mustNotChange">): Promise<void> {
  const { entry, deletion } = target;
  const pod = entry.object as DeepReadonly<Pod>;
  const [budget, ...others] = budgetsOf(context, pod);
  if (others.length > 0) throw severalBudgets();
  if (budget === undefined) return remove(context, scope, { ...target, mustNotChange: false });
  if (!isFreeOfCharge(pod, budget)) {
    await takeDisruption(context, scope, { budget, isDryRun: (deletion.dryRun ?? []).length > 0 });
    return remove(context, scope, { ...target, mustNotChange: false });
  }
  try {
    return await remove(context, scope, { ...target, mustNotChange: true });
  } catch (error) {
    if (isConflict(error) && deletion.preconditions?.resourceVersion === undefined) throw stillProcessing(budget.metadata.name ?? "");
    throw error;
  }
}

function budgetsOf(context: ServerContext, pod: DeepReadonly<Pod>): DeepReadonly<PodDisruptionBudget>[] {
  const { namespace = "", labels } = pod.metadata;
  const budgets = context.cache.of(BUDGETS_PREFIX).entries(`${BUDGETS_PREFIX}${namespace}/`);
  return budgets
    .map(({ object }) => object as DeepReadonly<PodDisruptionBudget>)
    .filter(({ spec }) => spec?.selector !== undefined && labelSelectorMatcher(spec.selector).matches(labels));
}

/** Counts the eviction against the budget, or refuses with 429. */
async function takeDisruption(
  context: ServerContext,
  scope: RequestScope,
  { budget, isDryRun }: { readonly budget: DeepReadonly<PodDisruptionBudget>; readonly isDryRun: boolean },
): Promise<void> {
  const resource = context.catalog.find("policy", "v1", "poddisruptionbudgets");
  if (resource === undefined) return;
  const { name = "" } = budget.metadata;
  const budgetScope = { ...scope, user: loopbackUser, resource, name, subresource: "status" };
  const make = (current: CacheEntry) => {
    const status = withDisruption(current.object as DeepReadonly<PodDisruptionBudget>, scope.name, context.clock.now());
    return Object.assign(draftOf(current.object), { status });
  };
  await replaceObject(context, budgetScope, { make, tracking: "none" }, { dryRun: isDryRun });
}

interface Removal {
  readonly entry: CacheEntry;
  readonly deletion: DeleteOptions;
  /** Whether the pod must still be what was decided on. */
  readonly mustNotChange: boolean;
}

/** Says in the pod's status why it goes, and deletes it. Admission has seen the eviction. */
async function remove(context: ServerContext, scope: RequestScope, { entry, deletion, mustNotChange }: Removal): Promise<void> {
  const pinned = deletion.preconditions?.resourceVersion ?? (mustNotChange ? String(entry.revision) : undefined);
  let resourceVersion = pinned;
  if ((deletion.dryRun ?? []).length === 0) {
    const make = (current: CacheEntry) => {
      const draft = draftOf(current.object);
      if (pinned === undefined) delete draft.metadata.resourceVersion;
      else draft.metadata.resourceVersion = pinned;
      // Held against what stands: another pod is not marked.
      draft.metadata.uid = deletion.preconditions?.uid ?? draft.metadata.uid;
      const conditions = evictedConditions(current.object as DeepReadonly<Pod>, context.clock.now());
      return Object.assign(draft, { status: { ...(draft["status"] as object | undefined), conditions } });
    };
    const marked = await replaceObject(context, { ...scope, subresource: "status" }, { make, isAdmitted: true }, {});
    if (pinned !== undefined) resourceVersion = marked.object.metadata.resourceVersion;
  }
  const preconditions = { ...deletion.preconditions, ...(resourceVersion === undefined ? {} : { resourceVersion }) };
  await deleteObject(context, scope, { ...deletion, preconditions }, { isAdmitted: true });
}
