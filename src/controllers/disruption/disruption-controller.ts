// Keeps the status of PodDisruptionBudgets, which evictions ask, and takes back disruption marks that led to nothing.
import { type ResourceRef, resources } from "../../api/index.ts";
import type { Pod } from "../../api/types/core/v1.ts";
import type { PodDisruptionBudget } from "../../api/types/policy/v1.ts";
import { timestamp } from "../../base/index.ts";
import { type Informer, type ReconcileResult, WorkQueue } from "../../client/index.ts";
import {
  type DeepReadonly,
  deepEqual,
  formatLabelSelector,
  isConflict,
  isNotFound,
  type KubeObject,
  labelSelectorMatcher,
  objectKey,
  splitKey,
} from "../../machinery/index.ts";
import { type Controller, type ControllerContext, keyedController } from "../controller.ts";
import { messageOf } from "../error-message.ts";
import { Pace } from "../pace.ts";
import { ScaleClient } from "../scale-client.ts";
import { NoControllerError, ScaleFinder } from "./expected-scale.ts";
import { failedStatus, needsScale, planBudget, staleDisruptionInMs } from "./plan.ts";

type Budget = DeepReadonly<PodDisruptionBudget>;

export interface DisruptionOptions {
  /** Every resource there is, each in one version: pods' controllers may be of any kind. */
  readonly resources: () => readonly ResourceRef<KubeObject>[];
}

export function disruptionController(context: ControllerContext, options: DisruptionOptions): Controller {
  const budgets = new BudgetReconciler(context, options);
  const name = "disruption-controller";
  const keeper = keyedController({ name, context, queue: budgets.queue, reconcile: (key, signal) => budgets.reconcile(key, signal) });
  const cleaner = staleDisruptionCleaner(context, name);
  return {
    name,
    run: async (signal) => {
      await Promise.all([keeper.run(signal), cleaner.run(signal)]);
    },
  };
}

class BudgetReconciler {
  readonly queue: WorkQueue<string>;
  readonly #context: ControllerContext;
  readonly #budgets: Informer<PodDisruptionBudget>;
  readonly #pods: Informer<Pod>;
  readonly #scales: ScaleFinder;
  readonly #pace: Pace;

  constructor(context: ControllerContext, options: DisruptionOptions) {
    this.#context = context;
    this.queue = new WorkQueue({ clock: context.clock });
    this.#pace = new Pace(context.clock);
    this.#budgets = context.informers.informer(resources.poddisruptionbudgets);
    this.#pods = context.informers.informer(resources.pods);
    const add = (budget: Budget) => this.queue.add(objectKey(budget));
    this.#scales = new ScaleFinder(context.informers, new ScaleClient(context.client, options.resources), (namespace) => {
      for (const budget of this.#budgets.lister.list(namespace)) if (needsScale(budget)) add(budget);
    });
    this.#budgets.onChange({ added: add, updated: (_, budget) => add(budget) });
    this.#pods.onChange({
      added: (pod) => this.#podChanged(pod),
      updated: (old, pod) => this.#podChanged(old, pod),
      deleted: (pod) => this.#podChanged(pod),
    });
  }

  async reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult | undefined> {
    const { namespace, name } = splitKey(key);
    const budget = this.#budgets.lister.get(namespace, name);
    if (budget === undefined) {
      this.#pace.looked(key, 0);
      return undefined;
    }
    try {
      return await this.#sync(budget, signal);
    } catch (error) {
      if (isConflict(error) || signal.aborted) throw error;
      await this.#updateStatus(budget, failedStatus(budget, messageOf(error), this.#context.clock.now()), signal);
      if (!(error instanceof NoControllerError)) throw error;
      return undefined;
    }
  }

  async #sync(budget: Budget, signal: AbortSignal): Promise<ReconcileResult | undefined> {
    const { recorder, clock } = this.#context;
    const selector = labelSelectorMatcher(budget.spec?.selector);
    const candidates = this.#pods.lister.list(budget.metadata.namespace);
    this.#pace.looked(objectKey(budget), candidates.length);
    const pods = candidates.filter(({ metadata }) => selector.matches(metadata.labels));
    if (pods.length === 0) recorder.event(budget, "Normal", "NoPods", "No matching pods found");
    const expectedScale = needsScale(budget) ? await this.#expectedScale(budget, pods, signal) : 0;
    const plan = planBudget({ budget, pods, expectedScale, nowMs: clock.now() });
    const path = `${budget.metadata.namespace}/${budget.metadata.name}`;
    for (const pod of plan.notDeleted)
      recorder.event(pod, "Warning", "NotDeleted", `Pod was expected by PDB ${path} to be deleted but it wasn't`);
    await this.#updateStatus(budget, plan.status, signal);
    return plan.wakeInMs === undefined ? undefined : { requeueAfterMs: plan.wakeInMs };
  }

  async #expectedScale(budget: Budget, pods: readonly DeepReadonly<Pod>[], signal: AbortSignal): Promise<number> {
    const { recorder } = this.#context;
    try {
      const { expectedScale, unmanaged } = await this.#scales.find(pods, signal);
      if (unmanaged.length > 0) recorder.event(budget, "Warning", "UnmanagedPods", unmanagedMessage(budget));
      return expectedScale;
    } catch (error) {
      const message = `Failed to calculate the number of expected pods: ${messageOf(error)}`;
      recorder.event(budget, "Warning", "CalculateExpectedPodCountFailed", message);
      throw error;
    }
  }

  async #updateStatus(budget: Budget, status: PodDisruptionBudget["status"], signal: AbortSignal): Promise<void> {
    if (deepEqual(budget.status, status)) return;
    const { namespace } = budget.metadata;
    await this.#context.client.update(resources.poddisruptionbudgets, { ...budget, status }, { namespace, subresource: "status", signal });
  }

  #podChanged(...states: readonly DeepReadonly<Pod>[]): void {
    for (const budget of this.#budgets.lister.list(states[0]?.metadata.namespace)) {
      const selector = labelSelectorMatcher(budget.spec?.selector);
      if (!states.some(({ metadata }) => selector.matches(metadata.labels))) continue;
      const key = objectKey(budget);
      this.queue.addAfter(key, this.#pace.restMs(key));
    }
  }
}

function unmanagedMessage({ spec }: Budget): string {
  return (
    `Pods selected by this PodDisruptionBudget (selector: ${formatLabelSelector(spec?.selector)}) were found to be unmanaged. ` +
    "As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. " +
    'To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.'
  );
}

/** A pod that is said to be a target of disruption, but stays, is none. */
function staleDisruptionCleaner(context: ControllerContext, name: string): Controller {
  const { client, clock, informers } = context;
  const queue = new WorkQueue<string>({ clock });
  const pods = informers.informer(resources.pods);
  const add = (pod: DeepReadonly<Pod>) => {
    if (staleDisruptionInMs(pod, clock.now()) !== undefined) queue.add(objectKey(pod));
  };
  pods.onChange({ added: add, updated: (_, pod) => add(pod) });
  const reconcile = async (key: string, signal: AbortSignal): Promise<ReconcileResult | undefined> => {
    const { namespace, name: podName } = splitKey(key);
    const pod = pods.lister.get(namespace, podName);
    const leftMs = pod === undefined ? undefined : staleDisruptionInMs(pod, clock.now());
    if (pod === undefined || leftMs === undefined) return undefined;
    if (leftMs > 0) return { requeueAfterMs: leftMs };
    const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== "DisruptionTarget");
    const condition = { type: "DisruptionTarget", status: "False", lastTransitionTime: timestamp(clock) };
    const wanted = { ...pod, status: { ...pod.status, conditions: [...others, condition] } };
    await client.update(resources.pods, wanted, { namespace, subresource: "status", signal }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
    return undefined;
  };
  return keyedController({ name, context, queue, reconcile });
}
