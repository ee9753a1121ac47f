// pods/eviction: a deletion that asks the pod's disruption budgets first.
import type { RequestScope } from "../../../api/index.ts";
import { formatTime } from "../../../base/index.ts";
import {
  type DeepReadonly,
  type DeleteOptions,
  internalError,
  type KubeObject,
  type LabelSelector,
  labelSelectorMatcher,
  notFound,
  statusError,
} from "../../../machinery/index.ts";
import { deleteObject } from "../delete-path.ts";
import { draftOf, fieldOf } from "../draft.ts";
import { currentEntry, type ServerContext } from "../server-context.ts";
import { replaceObject } from "../update-path.ts";
import { answer, type CreateSubresource } from "./subresource.ts";

interface Budget extends KubeObject {
  readonly spec?: { readonly selector?: LabelSelector; readonly unhealthyPodEvictionPolicy?: string };
  readonly status?: {
    disruptionsAllowed?: number;
    currentHealthy?: number;
    desiredHealthy?: number;
    disruptedPods?: Record<string, string>;
    observedGeneration?: number;
  };
}

const success = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 };

export const createEviction: CreateSubresource = async (context, scope, body, options) => {
  const { deleteOptions = {} } = body as unknown as { readonly deleteOptions?: DeleteOptions };
  const isDryRun = options.dryRun === true || (deleteOptions.dryRun ?? []).length > 0;
  const podScope = { ...scope, subresource: "" };
  await context.cache.waitForNewest();
  const pod = await currentEntry(context, scope.resource, scope.namespace, scope.name);
  if (pod === undefined) throw notFound(scope.resource, scope.name);
  if (!ignoresBudgets(pod.object)) {
    const budgets = budgetsOf(context, scope, pod.object);
    if (budgets.length > 1)
      throw internalError("This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.");
    const [budget] = budgets;
    if (budget !== undefined && !allowsUnhealthy(budget, pod.object)) await takeDisruption(context, scope, budget, isDryRun);
  }
  await deleteObject(context, podScope, { ...deleteOptions, ...(isDryRun ? { dryRun: ["All"] } : {}) });
  return answer(success);
};

/** Pods that have ended, or never started, cost nobody anything. */
function ignoresBudgets(pod: DeepReadonly<KubeObject>): boolean {
  const { phase = "" } = (fieldOf(pod, "status") ?? {}) as { readonly phase?: string };
  return pod.metadata.deletionTimestamp !== undefined || ["Succeeded", "Failed", "Pending"].includes(phase);
}

function isReady(pod: DeepReadonly<KubeObject>): boolean {
  const { conditions = [] } = (fieldOf(pod, "status") ?? {}) as { readonly conditions?: readonly { type: string; status: string }[] };
  return conditions.some(({ type, status }) => type === "Ready" && status === "True");
}

function allowsUnhealthy({ spec, status }: Budget, pod: DeepReadonly<KubeObject>): boolean {
  if (isReady(pod)) return false;
  if (spec?.unhealthyPodEvictionPolicy === "AlwaysAllow") return true;
  const { currentHealthy = 0, desiredHealthy = 0 } = status ?? {};
  return desiredHealthy > 0 && currentHealthy >= desiredHealthy;
}

function budgetsOf(context: ServerContext, scope: RequestScope, pod: DeepReadonly<KubeObject>): Budget[] {
  const prefix = "/registry/policy/poddisruptionbudgets/";
  const budgets = context.cache.of(prefix).entries(`${prefix}${scope.namespace}/`);
  return budgets
    .map(({ object }) => object as Budget)
    .filter(({ spec }) => spec?.selector !== undefined && labelSelectorMatcher(spec.selector).matches(pod.metadata.labels));
}

/** Counts the eviction against the budget, or refuses with 429. */
async function takeDisruption(context: ServerContext, scope: RequestScope, budget: Budget, isDryRun: boolean): Promise<void> {
  const resource = context.catalog.find("policy", "v1", "poddisruptionbudgets");
  const { name = "" } = budget.metadata;
  if (resource === undefined) return;
  const budgetScope = { ...scope, resource, name, subresource: "status" };
  const make = (current: { readonly object: DeepReadonly<KubeObject> }) => {
    const draft = draftOf(current.object);
    const { status = {}, metadata } = draft as unknown as Budget & { status?: NonNullable<Budget["status"]> };
    if ((status.observedGeneration ?? 0) < (metadata.generation ?? 0)) throw tooManyDisruptions(name, undefined, 10);
    if ((status.disruptionsAllowed ?? 0) <= 0) throw tooManyDisruptions(name, status, 0);
    status.disruptionsAllowed = (status.disruptionsAllowed ?? 0) - 1;
    status.disruptedPods = { ...status.disruptedPods, [scope.name]: formatTime(context.clock.now()) };
    return draft;
  };
  await replaceObject(context, budgetScope, { make, tracking: "none" }, { dryRun: isDryRun });
}

function tooManyDisruptions(budget: string, status: Budget["status"], retryAfterSeconds: number): Error {
  const { desiredHealthy = 0, currentHealthy = 0 } = status ?? {};
  const message =
    status === undefined
      ? `The disruption budget ${budget} is still being processed by the server.`
      : `The disruption budget ${budget} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`;
  const causes = [{ reason: "DisruptionBudget", message }];
  return statusError("TooManyRequests", "Cannot evict pod as it would violate the pod's disruption budget.", {
    causes,
    ...(retryAfterSeconds > 0 ? { retryAfterSeconds } : {}),
  });
}
