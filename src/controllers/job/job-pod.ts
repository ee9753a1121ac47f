// A Job's pods: the finalizer by which they are counted exactly once, and the marks of an indexed job's pods.
import { isPodTerminal } from "../../api/index.ts";
import type { Job } from "../../api/types/batch/v1.ts";
import type { Container, Pod, PodTemplateSpec } from "../../api/types/core/v1.ts";
import type { DeepReadonly, OwnerReference } from "../../machinery/index.ts";
import { podFromTemplate } from "../pod-template.ts";
import { matchFailurePolicy } from "./failure-policy.ts";

export const TRACKING_FINALIZER = "batch.kubernetes.io/job-tracking";
const COMPLETION_INDEX = "batch.kubernetes.io/job-completion-index";
const INDEX_FAILURE_COUNT = "batch.kubernetes.io/job-index-failure-count";
const INDEX_IGNORED_FAILURE_COUNT = "batch.kubernetes.io/job-index-ignored-failure-count";
const INDEX_VARIABLE = "JOB_COMPLETION_INDEX";
/** Generated names get a suffix of five characters. */
const MAX_GENERATED_NAME_LENGTH = 63 - 5;

type ReadonlyJob = DeepReadonly<Job>;
type ReadonlyPod = DeepReadonly<Pod>;

export function isIndexed({ spec }: ReadonlyJob): boolean {
  return spec?.completionMode === "Indexed";
}

export function hasLimitPerIndex({ spec }: ReadonlyJob): boolean {
  return spec?.backoffLimitPerIndex !== undefined;
}

/** Whether a pod that is on its way out is replaced only when it has ended. */
export function replacesOnlyFailed({ spec }: ReadonlyJob): boolean {
  return spec?.podReplacementPolicy === "Failed" || spec?.podFailurePolicy !== undefined;
}

export function isTracked(pod: ReadonlyPod): boolean {
  return pod.metadata.finalizers?.includes(TRACKING_FINALIZER) === true;
}

/** The pod's index; undefined when it has none that the job knows. */
export function completionIndexOf(job: ReadonlyJob, pod: ReadonlyPod): number | undefined {
  const text = pod.metadata.annotations?.[COMPLETION_INDEX];
  if (text === undefined || !/^[0-9]+$/.test(text)) return undefined;
  const index = Number(text);
  return index < (job.spec?.completions ?? 0) ? index : undefined;
}

/** Whether the pod counts as failed. One that is being deleted does as well, lest an orphan be waited for in vain. */
export function isFailed(job: ReadonlyJob, pod: ReadonlyPod): boolean {
  if (pod.status?.phase === "Failed") return true;
  return !replacesOnlyFailed(job) && pod.metadata.deletionTimestamp !== undefined && !isPodTerminal(pod);
}

function countOf(pod: ReadonlyPod, annotation: string): number {
  return Number.parseInt(pod.metadata.annotations?.[annotation] ?? "0", 10) || 0;
}

/** How often the pod's index had failed before it, not counting what the failure policy ignores. */
export function indexFailures(pod: ReadonlyPod): number {
  return countOf(pod, INDEX_FAILURE_COUNT);
}

/** How often the pod's index had failed before it, in all. */
export function allIndexFailures(pod: ReadonlyPod): number {
  return indexFailures(pod) + countOf(pod, INDEX_IGNORED_FAILURE_COUNT);
}

function failureAnnotations(job: ReadonlyJob, replaced: ReadonlyPod | undefined): Readonly<Record<string, string>> {
  const isIgnored = replaced !== undefined && matchFailurePolicy(job.spec?.podFailurePolicy, replaced)?.action === "Ignore";
  const counted = replaced === undefined ? 0 : indexFailures(replaced) + (isIgnored ? 0 : 1);
  const ignored = replaced === undefined ? 0 : countOf(replaced, INDEX_IGNORED_FAILURE_COUNT) + (isIgnored ? 1 : 0);
  return { [INDEX_FAILURE_COUNT]: String(counted), ...(ignored === 0 ? {} : { [INDEX_IGNORED_FAILURE_COUNT]: String(ignored) }) };
}

export interface JobPodOptions {
  readonly owner: OwnerReference;
  /** For indexed jobs. */
  readonly index?: number | undefined;
  /** The failed pod of the same index. */
  readonly replaced?: ReadonlyPod | undefined;
}

export function jobPod(job: ReadonlyJob, { owner, index, replaced }: JobPodOptions): ReadonlyPod {
  const template: DeepReadonly<PodTemplateSpec> = job.spec?.template ?? {};
  const pod = podFromTemplate(template, job, owner);
  const finalizers = [...(pod.metadata.finalizers ?? []).filter((name) => name !== TRACKING_FINALIZER), TRACKING_FINALIZER];
  if (index === undefined) return { ...pod, metadata: { ...pod.metadata, finalizers } };
  const mark = { [COMPLETION_INDEX]: String(index) };
  const annotations = { ...pod.metadata.annotations, ...mark, ...(hasLimitPerIndex(job) ? failureAnnotations(job, replaced) : {}) };
  const metadata = { ...pod.metadata, finalizers, annotations, labels: { ...pod.metadata.labels, ...mark } };
  const { name = "" } = job.metadata;
  const suffix = `-${index}-`;
  const generateName = `${name.slice(0, MAX_GENERATED_NAME_LENGTH - suffix.length)}${suffix}`;
  if (pod.spec === undefined) return { ...pod, metadata: { ...metadata, generateName } };
  const initContainers = pod.spec.initContainers?.map(withIndexVariable);
  return {
    ...pod,
    metadata: { ...metadata, generateName },
    spec: {
      ...pod.spec,
      hostname: `${name}-${index}`,
      containers: pod.spec.containers.map(withIndexVariable),
      ...(initContainers === undefined ? {} : { initContainers }),
    },
  };
}

function withIndexVariable(container: DeepReadonly<Container>): DeepReadonly<Container> {
  if (container.env?.some(({ name }) => name === INDEX_VARIABLE) === true) return container;
  const variable = { name: INDEX_VARIABLE, valueFrom: { fieldRef: { fieldPath: `metadata.labels['${COMPLETION_INDEX}']` } } };
  return { ...container, env: [...(container.env ?? []), variable] };
}
