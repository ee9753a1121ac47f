// Sizes what HorizontalPodAutoscalers point to by what the metrics say, every 15 seconds.
import { type ResourceRef, resources } from "../../api/index.ts";
import type { Scale } from "../../api/types/autoscaling/v1.ts";
import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerCondition,
  HorizontalPodAutoscalerStatus,
  MetricStatus,
} from "../../api/types/autoscaling/v2.ts";
import type { Pod } from "../../api/types/core/v1.ts";
import { formatTime } from "../../base/index.ts";
import { type Informer, type ReconcileResult, WorkQueue } from "../../client/index.ts";
import {
  type DeepReadonly,
  deepEqual,
  type KubeObject,
  type LabelSelectorMatcher,
  objectKey,
  parseLabelSelector,
  SelectorError,
  splitKey,
} from "../../machinery/index.ts";
import { type Controller, type ControllerContext, keyedController } from "../controller.ts";
import { messageOf } from "../error-message.ts";
import { ScaleClient } from "../scale-client.ts";
import { type WantedCondition, withCondition } from "./conditions.ts";
import { MetricFailure, type MetricProposal, proposeFor } from "./metric-proposals.ts";
import { ApiMetricsClient, type MetricsClient } from "./metrics-client.ts";
import { normalize } from "./normalization.ts";
import { NO_HISTORY, type ScalingHistory, withChange, withRecommendation } from "./scaling-history.ts";

/** kube-controller-manager's --horizontal-pod-autoscaler-sync-period. */
const SYNC_PERIOD_MS = 15_000;

export interface AutoscalerOptions {
  /** Every resource there is, each in one version: targets may be of any kind. */
  readonly resources: () => readonly ResourceRef<KubeObject>[];
  /** Default: the metrics APIs, by the context's client. */
  readonly metrics?: MetricsClient;
}

export function horizontalPodAutoscalerController(context: ControllerContext, options: AutoscalerOptions): Controller {
  const reconciler = new AutoscalerReconciler(context, options);
  return keyedController({
    name: "horizontal-pod-autoscaler-controller",
    context,
    queue: reconciler.queue,
    reconcile: (key, signal) => reconciler.reconcile(key, signal),
  });
}

type Autoscaler = DeepReadonly<HorizontalPodAutoscaler>;

/** One look at an autoscaler: what its status will say. */
interface Round {
  readonly autoscaler: Autoscaler;
  readonly nowMs: number;
  conditions: readonly DeepReadonly<HorizontalPodAutoscalerCondition>[];
  current: number;
  desired: number;
  metrics: readonly MetricStatus[];
  lastScaleTime: string | undefined;
}

class AutoscalerReconciler {
  readonly queue: WorkQueue<string>;
  readonly #context: ControllerContext;
  readonly #autoscalers: Informer<HorizontalPodAutoscaler>;
  readonly #pods: Informer<Pod>;
  readonly #scales: ScaleClient;
  readonly #metrics: MetricsClient;
  readonly #histories = new Map<string, ScalingHistory>();
  /** What each autoscaler's target selects: no pod may have two autoscalers. */
  readonly #selectors = new Map<string, LabelSelectorMatcher>();

  constructor(context: ControllerContext, options: AutoscalerOptions) {
    this.#context = context;
    this.queue = new WorkQueue({ clock: context.clock });
    this.#scales = new ScaleClient(context.client, options.resources);
    this.#metrics = options.metrics ?? new ApiMetricsClient(context.client, options.resources);
    this.#pods = context.informers.informer(resources.pods);
    this.#autoscalers = context.informers.informer(resources.horizontalpodautoscalers);
    const add = (autoscaler: Autoscaler) => this.queue.add(objectKey(autoscaler));
    this.#autoscalers.onChange({
      added: add,
      updated: (old, autoscaler) => {
        if (!deepEqual(old.spec, autoscaler.spec)) add(autoscaler);
      },
      deleted: add,
    });
  }

  async reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult | undefined> {
    const { namespace, name } = splitKey(key);
    const autoscaler = this.#autoscalers.lister.get(namespace, name);
    if (autoscaler === undefined) {
      this.#histories.delete(key);
      this.#selectors.delete(key);
      return undefined;
    }
    const { currentReplicas = 0, desiredReplicas = 0, conditions = [], lastScaleTime, currentMetrics = [] } = autoscaler.status ?? {};
    const nowMs = this.#context.clock.now();
    const metrics = currentMetrics as readonly MetricStatus[];
    const round: Round = { autoscaler, nowMs, conditions, current: currentReplicas, desired: desiredReplicas, metrics, lastScaleTime };
    try {
      await this.#scale(key, round, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      this.#context.logger.debug("autoscaling failed", { autoscaler: key, error });
    }
    await this.#updateStatus(round, signal);
    return { requeueAfterMs: SYNC_PERIOD_MS };
  }

  async #scale(key: string, round: Round, signal: AbortSignal): Promise<void> {
    const { spec } = round.autoscaler;
    const scale = await this.#getScale(round, signal);
    const current = scale.spec?.replicas ?? 0;
    const { minReplicas = 1, maxReplicas } = spec;
    round.current = current;
    if (!this.#histories.has(key)) this.#histories.set(key, withRecommendation(NO_HISTORY, current, round.nowMs));
    if (current === 0 && minReplicas !== 0) {
      round.desired = 0;
      const message = "scaling is disabled since the replica count of the target is zero";
      setCondition(round, { type: "ScalingActive", status: "False", reason: "ScalingDisabled", message });
      return;
    }
    if (current > maxReplicas)
      return this.#rescale(key, round, { scale, to: maxReplicas, reason: "Current number of replicas above Spec.MaxReplicas" }, signal);
    if (current < minReplicas)
      return this.#rescale(key, round, { scale, to: minReplicas, reason: "Current number of replicas below Spec.MinReplicas" }, signal);
    const best = await this.#bestProposal(key, round, scale, signal);
    const reason = best.replicas > current ? `${best.name} above target` : "All metrics below target";
    const to = this.#normalized(key, round, best.replicas);
    if (to === current) round.desired = current;
    else await this.#rescale(key, round, { scale, to, reason }, signal);
  }

  async #getScale(round: Round, signal: AbortSignal): Promise<DeepReadonly<Scale>> {
    const { metadata, spec } = round.autoscaler;
    try {
      const scale = await this.#scales.get(metadata.namespace ?? "", spec.scaleTargetRef, signal);
      const message = "the HPA controller was able to get the target's current scale";
      setCondition(round, { type: "AbleToScale", status: "True", reason: "SucceededGetScale", message });
      return scale;
    } catch (error) {
      this.#context.recorder.event(round.autoscaler, "Warning", "FailedGetScale", messageOf(error));
      const message = `the HPA controller was unable to get the target's current scale: ${messageOf(error)}`;
      setCondition(round, { type: "AbleToScale", status: "False", reason: "FailedGetScale", message });
      throw error;
    }
  }

  /** The largest size that a metric calls for. Some may fail, as long as the others do not call for less than there is. */
  async #bestProposal(key: string, round: Round, scale: DeepReadonly<Scale>, signal: AbortSignal): Promise<MetricProposal> {
    const { autoscaler, nowMs } = round;
    const { recorder } = this.#context;
    const pods = this.#targetPods(key, round, scale);
    const specReplicas = scale.spec?.replicas ?? 0;
    const statusReplicas = scale.status?.replicas ?? 0;
    const selector = scale.status?.selector ?? "";
    const context = { autoscaler, pods, selector, specReplicas, statusReplicas, metrics: this.#metrics, nowMs, signal };
    const specs = autoscaler.spec.metrics ?? [];
    const proposals: MetricProposal[] = [];
    const failures: MetricFailure[] = [];
    const statuses: MetricStatus[] = [];
    for (const spec of specs) {
      try {
        const proposal = await proposeFor(spec, context);
        proposals.push(proposal);
        statuses.push(proposal.status);
      } catch (error) {
        if (!(error instanceof MetricFailure)) throw error;
        recorder.event(autoscaler, "Warning", error.reason, error.message);
        failures.push(error);
        // The list keeps its places: statuses stand beside their metrics.
        statuses.push({ type: "" });
      }
    }
    round.metrics = statuses;
    const best = proposals.reduce<MetricProposal | undefined>(
      (most, each) => (most === undefined || each.replicas > most.replicas ? each : most),
      undefined,
    );
    const [failure] = failures;
    if (failure !== undefined && (best === undefined || best.replicas < specReplicas)) {
      const message = `the HPA was unable to compute the replica count: ${failure.message}`;
      setCondition(round, { type: "ScalingActive", status: "False", reason: failure.reason, message });
      const summary = `invalid metrics (${failures.length} invalid out of ${specs.length}), first error is: ${failure.summary}`;
      recorder.event(autoscaler, "Warning", "FailedComputeMetricsReplicas", summary);
      throw failure;
    }
    if (best === undefined) throw new MetricFailure("InvalidMetricSourceType", "no metrics", "no metrics");
    const message = `the HPA was able to successfully calculate a replica count from ${best.name}`;
    setCondition(round, { type: "ScalingActive", status: "True", reason: "ValidMetricFound", message });
    return best;
  }

  #targetPods(key: string, round: Round, { status }: DeepReadonly<Scale>): readonly DeepReadonly<Pod>[] {
    const { namespace = "" } = round.autoscaler.metadata;
    const text = status?.selector ?? "";
    if (text === "") this.#failSelector(round, "SelectorRequired", "selector is required", "the HPA target's scale is missing a selector");
    let selector: LabelSelectorMatcher;
    try {
      selector = parseLabelSelector(text);
    } catch (error) {
      if (!(error instanceof SelectorError)) throw error;
      const message = `couldn't convert selector into a corresponding internal selector object: ${messageOf(error)}`;
      return this.#failSelector(round, "InvalidSelector", message, message);
    }
    this.#selectors.set(key, selector);
    const pods = this.#pods.lister.list(namespace).filter(({ metadata }) => selector.matches(metadata.labels));
    const rivals = [...this.#selectors].filter(
      ([other, matcher]) => splitKey(other).namespace === namespace && pods.some(({ metadata }) => matcher.matches(metadata.labels)),
    );
    if (rivals.length > 1) {
      const message = `pods by selector ${text} are controlled by multiple HPAs: [${rivals.map(([other]) => other).join(" ")}]`;
      this.#failSelector(round, "AmbiguousSelector", message, message);
    }
    return pods;
  }

  #failSelector(round: Round, reason: string, eventMessage: string, message: string): never {
    this.#context.recorder.event(round.autoscaler, "Warning", reason, eventMessage);
    const conditionReason = reason === "AmbiguousSelector" ? reason : "InvalidSelector";
    setCondition(round, { type: "ScalingActive", status: "False", reason: conditionReason, message });
    throw new MetricFailure(conditionReason, message, message);
  }

  #normalized(key: string, round: Round, wanted: number): number {
    const { autoscaler, current, nowMs } = round;
    const history = this.#histories.get(key) ?? NO_HISTORY;
    const { replicas, stabilized, limited } = normalize({ autoscaler, current, wanted, history, nowMs });
    this.#histories.set(key, withRecommendation(history, wanted, nowMs));
    setCondition(round, { type: "AbleToScale", status: "True", reason: stabilized.reason, message: stabilized.message });
    const status = replicas === stabilized.replicas ? "False" : "True";
    setCondition(round, { type: "ScalingLimited", status, reason: limited.reason, message: limited.message });
    return replicas;
  }

  async #rescale(
    key: string,
    round: Round,
    { scale, to, reason }: { readonly scale: DeepReadonly<Scale>; readonly to: number; readonly reason: string },
    signal: AbortSignal,
  ): Promise<void> {
    const { autoscaler, nowMs, current } = round;
    const { recorder } = this.#context;
    const { namespace = "" } = autoscaler.metadata;
    try {
      await this.#scales.set(namespace, autoscaler.spec.scaleTargetRef, { ...scale, spec: { ...scale.spec, replicas: to } }, signal);
    } catch (error) {
      recorder.event(autoscaler, "Warning", "FailedRescale", `New size: ${to}; reason: ${reason}; error: ${messageOf(error)}`);
      const message = `the HPA controller was unable to update the target scale: ${messageOf(error)}`;
      setCondition(round, { type: "AbleToScale", status: "False", reason: "FailedUpdateScale", message });
      throw error;
    }
    const message = `the HPA controller was able to update the target scale to ${to}`;
    setCondition(round, { type: "AbleToScale", status: "True", reason: "SucceededRescale", message });
    recorder.event(autoscaler, "Normal", "SuccessfulRescale", `New size: ${to}; reason: ${reason}`);
    this.#histories.set(key, withChange(this.#histories.get(key) ?? NO_HISTORY, to - current, nowMs));
    round.desired = to;
    round.lastScaleTime = formatTime(nowMs);
  }

  async #updateStatus(round: Round, signal: AbortSignal): Promise<void> {
    const { autoscaler, conditions, current, desired, metrics, lastScaleTime } = round;
    const status: HorizontalPodAutoscalerStatus = {
      ...(current === 0 ? {} : { currentReplicas: current }),
      desiredReplicas: desired,
      ...(lastScaleTime === undefined ? {} : { lastScaleTime }),
      ...(metrics.length === 0 ? {} : { currentMetrics: [...metrics] }),
      ...(conditions.length === 0 ? {} : { conditions: conditions.map((condition) => ({ ...condition })) }),
    };
    if (deepEqual(autoscaler.status, status)) return;
    const { namespace } = autoscaler.metadata;
    const options = { namespace, subresource: "status", signal };
    await this.#context.client.update(resources.horizontalpodautoscalers, { ...autoscaler, status }, options);
  }
}

function setCondition(round: Round, condition: WantedCondition): void {
  round.conditions = withCondition(round.conditions, condition, round.nowMs);
}
