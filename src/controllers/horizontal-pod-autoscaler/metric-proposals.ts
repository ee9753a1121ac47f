// Asks for each metric of an autoscaler, and what size it calls for.
import type {
  HorizontalPodAutoscaler,
  MetricIdentifier,
  MetricSpec,
  MetricStatus,
  MetricTarget,
  MetricValueStatus,
} from "../../api/types/autoscaling/v2.ts";
import type { Pod } from "../../api/types/core/v1.ts";
import { type DeepReadonly, formatLabelSelector, Quantity, quantityMilli } from "../../machinery/index.ts";
import { messageOf } from "../error-message.ts";
import { type MetricsClient, MetricsError } from "./metrics-client.ts";
import {
  averageReplicas,
  type Proposal,
  sharedReplicas,
  type Tolerances,
  utilizationReplicas,
  valueReplicas,
} from "./replica-calculation.ts";

export interface MetricContext {
  readonly autoscaler: DeepReadonly<HorizontalPodAutoscaler>;
  /** The target's pods, and the selector that finds them. */
  readonly pods: readonly DeepReadonly<Pod>[];
  readonly selector: string;
  readonly specReplicas: number;
  readonly statusReplicas: number;
  readonly metrics: MetricsClient;
  readonly nowMs: number;
  readonly signal: AbortSignal;
}

export interface MetricProposal {
  readonly replicas: number;
  /** As it stands in events. */
  readonly name: string;
  readonly status: MetricStatus;
}

/** Why a metric calls for nothing: for the event and for ScalingActive. */
export class MetricFailure extends Error {
  readonly code = "METRIC_FAILURE";
  readonly reason: string;
  /** How it stands among the failures of all metrics. */
  readonly summary: string;

  constructor(reason: string, message: string, summary: string) {
    super(message);
    this.reason = reason;
    this.summary = summary;
  }
}

const DEFAULT_TOLERANCE = 0.1;

function tolerancesOf({ spec }: DeepReadonly<HorizontalPodAutoscaler>): Tolerances {
  const of = (text: string | undefined) => (text === undefined ? DEFAULT_TOLERANCE : quantityMilli(text) / 1000);
  return { scaleUp: of(spec.behavior?.scaleUp?.tolerance), scaleDown: of(spec.behavior?.scaleDown?.tolerance) };
}

/** Rejects with MetricFailure. */
export async function proposeFor(metric: DeepReadonly<MetricSpec>, context: MetricContext): Promise<MetricProposal> {
  const kind = kinds[metric.type];
  if (kind === undefined) {
    const message = `unknown metric source type ${JSON.stringify(metric.type)}`;
    throw new MetricFailure("InvalidMetricSourceType", message, message);
  }
  try {
    return await kind.propose(metric, context);
  } catch (error) {
    if (!(error instanceof MetricsError)) throw error;
    throw new MetricFailure(kind.failure, messageOf(error), `failed to get ${kind.label(metric)}: ${messageOf(error)}`);
  }
}

interface MetricKind {
  /** The reason of its failures. */
  readonly failure: string;
  label(metric: DeepReadonly<MetricSpec>): string;
  propose(metric: DeepReadonly<MetricSpec>, context: MetricContext): Promise<MetricProposal>;
}

const kinds: Readonly<Record<string, MetricKind>> = {
  Resource: {
    failure: "FailedGetResourceMetric",
    label: ({ resource }) => `${resource?.name} resource metric value`,
    propose: async ({ resource }, context) => {
      const { name = "", target } = resource ?? {};
      const { current, ...rest } = await proposeResource({ name, target }, context);
      return { ...rest, status: { type: "Resource", resource: { name, current } } };
    },
  },
  ContainerResource: {
    failure: "FailedGetContainerResourceMetric",
    label: ({ containerResource }) => `${containerResource?.container} container metric value`,
    propose: async ({ containerResource }, context) => {
      const { name = "", container = "", target } = containerResource ?? {};
      const { current, ...rest } = await proposeResource({ name, target, container }, context);
      return { ...rest, status: { type: "ContainerResource", containerResource: { name, container, current } } };
    },
  },
  Pods: {
    failure: "FailedGetPodsMetric",
    label: () => "pods metric value",
    propose: async ({ pods }, context) => {
      const identifier = identifierOf(pods?.metric);
      const { name: metricName } = identifier;
      const query = { ...queryOf(identifier, context), selector: context.selector };
      const metrics = await context.metrics.pods(query).catch(rethrowAs(`unable to get metric ${metricName}`));
      const proposal = averageReplicas(usageOf(context, metrics), milliOf(pods?.target.averageValue));
      const current = { averageValue: milliText(proposal.usageMilli) };
      return {
        replicas: proposal.replicas,
        name: `pods metric ${metricName}`,
        status: { type: "Pods", pods: { metric: identifier, current } },
      };
    },
  },
  Object: {
    failure: "FailedGetObjectMetric",
    label: () => "object metric value",
    propose: async ({ object }, context) => {
      const identifier = identifierOf(object?.metric);
      const describedObject = { kind: "", name: "", ...object?.describedObject };
      const { namespace } = context.autoscaler.metadata;
      const path = `${describedObject.kind} ${namespace}/${describedObject.name}`;
      const query = { ...queryOf(identifier, context), object: describedObject };
      const value = await context.metrics.object(query).catch(rethrowAs(`unable to get metric ${identifier.name}`, ` on ${path}`));
      const { proposal, current } = proposeValue(object?.target, value, context, "object");
      const name = `${describedObject.kind} metric ${identifier.name}`;
      return { replicas: proposal.replicas, name, status: { type: "Object", object: { describedObject, metric: identifier, current } } };
    },
  },
  External: {
    failure: "FailedGetExternalMetric",
    label: ({ external }) => `${external?.metric.name} external metric value`,
    propose: async ({ external }, context) => {
      const identifier = identifierOf(external?.metric);
      const path = `${context.autoscaler.metadata.namespace}/${identifier.name}`;
      const values = await context.metrics.external(queryOf(identifier, context)).catch(rethrowAs(`unable to get external metric ${path}`));
      const sum = values.reduce((total, value) => total + value, 0);
      const { proposal, current } = proposeValue(external?.target, sum, context, "external");
      const name = `external metric ${identifier.name}(${formatLabelSelector(identifier.selector)})`;
      return { replicas: proposal.replicas, name, status: { type: "External", external: { metric: identifier, current } } };
    },
  },
};

interface ResourceTarget {
  readonly name: string;
  readonly target: DeepReadonly<MetricTarget> | undefined;
  readonly container?: string;
}

async function proposeResource({ name, target, container }: ResourceTarget, context: MetricContext) {
  const { averageUtilization, averageValue } = target ?? {};
  const { selector, signal, autoscaler } = context;
  const query = { namespace: autoscaler.metadata.namespace ?? "", resource: name, selector, container, signal };
  const what = averageValue === undefined ? "utilization" : "usage";
  const rethrow = rethrowAs(`failed to get ${name} ${what}: unable to get metrics for resource ${name}`);
  const metrics = await context.metrics.resource(query).catch(rethrow);
  const usage = usageOf(context, metrics, name);
  if (averageValue !== undefined) {
    const { replicas, usageMilli } = within(`failed to get ${name} usage`, () => averageReplicas(usage, milliOf(averageValue)));
    return { replicas, name: `${name} resource`, current: { averageValue: milliText(usageMilli) } satisfies MetricValueStatus };
  }
  if (averageUtilization === undefined)
    throw new MetricsError(
      "invalid resource metric source: neither an average utilization target nor an average value (usage) target was set",
    );
  const proposal = within(`failed to get ${name} utilization`, () => utilizationReplicas(usage, averageUtilization, container));
  const kind = container === undefined ? "resource" : "container resource";
  const current: MetricValueStatus = { averageUtilization: proposal.utilization, averageValue: milliText(proposal.usageMilli) };
  return { replicas: proposal.replicas, name: `${name} ${kind} utilization (percentage of request)`, current };
}

function proposeValue(
  target: DeepReadonly<MetricTarget> | undefined,
  valueMilli: number,
  context: MetricContext,
  source: string,
): { readonly proposal: Proposal; readonly current: MetricValueStatus } {
  const tolerances = tolerancesOf(context.autoscaler);
  const { pods, specReplicas, statusReplicas } = context;
  if (target?.averageValue !== undefined) {
    const proposal = sharedReplicas({ statusReplicas, tolerances }, valueMilli, milliOf(target.averageValue));
    return { proposal, current: { averageValue: milliText(proposal.usageMilli) } };
  }
  if (target?.value === undefined)
    throw new MetricsError(`invalid ${source} metric source: neither a value target nor an average value target was set`);
  const proposal = valueReplicas({ pods, currentReplicas: specReplicas, tolerances }, valueMilli, milliOf(target.value));
  return { proposal, current: { value: milliText(proposal.usageMilli) } };
}

function usageOf(
  { pods, specReplicas, autoscaler, nowMs }: MetricContext,
  metrics: Parameters<typeof averageReplicas>[0]["metrics"],
  resource?: string,
) {
  return { pods, metrics, resource, currentReplicas: specReplicas, tolerances: tolerancesOf(autoscaler), nowMs };
}

function identifierOf(metric: DeepReadonly<MetricIdentifier> | undefined): MetricIdentifier {
  const { name = "", selector } = metric ?? {};
  return { name, ...(selector === undefined ? {} : { selector: selector as MetricIdentifier["selector"] }) };
}

function queryOf({ name, selector }: MetricIdentifier, { autoscaler, signal }: MetricContext) {
  const metricSelector = selector === undefined ? "" : formatLabelSelector(selector).replace("<none>", "");
  return { namespace: autoscaler.metadata.namespace ?? "", metricName: name, metricSelector, signal };
}

function within<R>(prefix: string, calculate: () => R): R {
  try {
    return calculate();
  } catch (error) {
    return rethrowAs(prefix)(error);
  }
}

function rethrowAs(prefix: string, suffix = ""): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof MetricsError)) throw error;
    throw new MetricsError(`${prefix}: ${messageOf(error)}${suffix}`, { cause: error });
  };
}

function milliOf(quantity: string | undefined): number {
  return quantity === undefined ? 0 : quantityMilli(quantity);
}

function milliText(milli: number): string {
  return new Quantity(BigInt(Math.trunc(milli)) * 1_000_000n, "DecimalSI").toString();
}
