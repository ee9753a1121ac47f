// Makes Jobs at the times of each CronJob's schedule, and clears old ones away.
import { resources } from "../../api/index.ts";
import type { CronJob, CronJobStatus, Job } from "../../api/types/batch/v1.ts";
import type { ObjectReference } from "../../api/types/core/v1.ts";
import { formatTime } from "../../base/index.ts";
import { getControllerOf, type Informer, newControllerRef, type ReconcileResult, WorkQueue } from "../../client/index.ts";
import { type DeepReadonly, deepEqual, isAlreadyExists, isNotFound, objectKey, splitKey } from "../../machinery/index.ts";
import { type Controller, type ControllerContext, keyedController } from "../controller.ts";
import { isNamespaceTerminating } from "../create-in-namespace.ts";
import { messageOf } from "../error-message.ts";
import { type CronPlan, jobNameAt, planCronJob } from "./plan.ts";
import { zonedTime } from "./zoned-time.ts";

const KIND = { apiVersion: "batch/v1", kind: "CronJob" };
const SCHEDULED_TIMESTAMP = "batch.kubernetes.io/cronjob-scheduled-timestamp";
const BY_CONTROLLER = "controller";

export interface CronJobOptions {
  /** Of schedules that name no zone. Default UTC. */
  readonly localTimeZone?: string | undefined;
}

export function cronJobController(context: ControllerContext, options: CronJobOptions = {}): Controller {
  const reconciler = new CronJobReconciler(context, options);
  return keyedController({
    name: "cronjob-controller",
    context,
    queue: reconciler.queue,
    reconcile: (key, signal) => reconciler.reconcile(key, signal),
  });
}

class CronJobReconciler {
  readonly queue: WorkQueue<string>;
  readonly #context: ControllerContext;
  readonly #localTimeZone: string | undefined;
  readonly #cronJobs: Informer<CronJob>;
  readonly #jobs: Informer<Job>;
  /** The version that was written last, by CronJob: an older one from the informer does not know the newest job. */
  readonly #written = new Map<string, number>();

  constructor(context: ControllerContext, { localTimeZone }: CronJobOptions) {
    this.#context = context;
    this.#localTimeZone = localTimeZone;
    this.queue = new WorkQueue({ clock: context.clock });
    this.#cronJobs = context.informers.informer(resources.cronjobs);
    this.#jobs = context.informers.informer(resources.jobs);
    this.#jobs.addIndex(BY_CONTROLLER, (job) => [getControllerOf(job)?.uid ?? ""]);
    const add = (cronJob: DeepReadonly<CronJob>) => this.queue.add(objectKey(cronJob));
    this.#cronJobs.onChange({ added: add, updated: (_, cronJob) => add(cronJob), deleted: add });
    const addOwner = (job: DeepReadonly<Job>) => {
      const owner = getControllerOf(job);
      if (owner?.kind === KIND.kind) this.queue.add(`${job.metadata.namespace}/${owner.name}`);
    };
    this.#jobs.onChange({ added: addOwner, updated: (_, job) => addOwner(job), deleted: addOwner });
  }

  async reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult | undefined> {
    const { namespace, name } = splitKey(key);
    const cronJob = this.#cronJobs.lister.get(namespace, name);
    if (cronJob === undefined) return void this.#written.delete(key);
    if (Number(cronJob.metadata.resourceVersion) < (this.#written.get(key) ?? 0)) return undefined;
    const jobs = this.#jobs.lister.byIndex(BY_CONTROLLER, cronJob.metadata.uid ?? "");
    const missing = await this.#missingJobs(cronJob, jobs, signal);
    const plan = planCronJob({ cronJob, jobs, missing, nowMs: this.#context.clock.now(), localTimeZone: this.#localTimeZone });
    for (const { type, reason, message } of plan.events) this.#context.recorder.event(cronJob, type, reason, message);
    for (const job of plan.expired) await this.#deleteJob(cronJob, { name: job.metadata.name, uid: job.metadata.uid }, signal);
    const status = plan.dueMs === undefined ? plan.status : await this.#start(cronJob, plan, plan.dueMs, signal);
    await this.#updateStatus(key, cronJob, status, signal);
    return plan.wakeInMs === undefined ? undefined : { requeueAfterMs: plan.wakeInMs };
  }

  /** Active jobs that neither the informer nor the server knows; the informer may be late. */
  async #missingJobs(
    cronJob: DeepReadonly<CronJob>,
    jobs: readonly DeepReadonly<Job>[],
    signal: AbortSignal,
  ): Promise<ReadonlySet<string>> {
    const known = new Set(jobs.map(({ metadata }) => metadata.uid));
    const missing = new Set<string>();
    for (const { name = "", namespace, uid = "" } of cronJob.status?.active ?? []) {
      if (known.has(uid)) continue;
      const live = await this.#context.client.get(resources.jobs, name, { namespace, signal }).catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
        return undefined;
      });
      if (live?.metadata.uid !== uid) missing.add(uid);
    }
    return missing;
  }

  async #start(cronJob: DeepReadonly<CronJob>, plan: CronPlan, dueMs: number, signal: AbortSignal): Promise<DeepReadonly<CronJobStatus>> {
    for (const job of plan.replace) await this.#deleteJob(cronJob, job, signal);
    const active = (plan.status.active ?? []).filter((reference) => !plan.replace.includes(reference));
    const job = await this.#createJob(cronJob, dueMs, signal);
    if (job === undefined) return { ...plan.status, active };
    const { name, namespace, uid, resourceVersion } = job.metadata;
    const reference = { apiVersion: "batch/v1", kind: "Job", name, namespace, uid, resourceVersion };
    return { ...plan.status, active: [...active, reference], lastScheduleTime: formatTime(dueMs) };
  }

  async #createJob(cronJob: DeepReadonly<CronJob>, dueMs: number, signal: AbortSignal): Promise<DeepReadonly<Job> | undefined> {
    const { client, recorder } = this.#context;
    const { namespace } = cronJob.metadata;
    const job = jobAt(cronJob, dueMs);
    try {
      const created = await client.create(resources.jobs, job, { namespace, signal });
      recorder.event(cronJob, "Normal", "SuccessfulCreate", `Created job ${created.metadata.name}`);
      return created;
    } catch (error) {
      if (isNamespaceTerminating(error)) return undefined;
      if (isAlreadyExists(error)) {
        const existing = await client.get(resources.jobs, job.metadata.name ?? "", { namespace, signal });
        if (getControllerOf(existing)?.uid === cronJob.metadata.uid) return existing;
      }
      recorder.event(cronJob, "Warning", "FailedCreate", `Error creating job: ${messageOf(error)}`);
      throw error;
    }
  }

  async #deleteJob(
    cronJob: DeepReadonly<CronJob>,
    { name = "", uid }: Pick<DeepReadonly<ObjectReference>, "name" | "uid">,
    signal: AbortSignal,
  ): Promise<void> {
    const { client, recorder } = this.#context;
    const { namespace } = cronJob.metadata;
    const options = { preconditions: { uid }, propagationPolicy: "Background" as const };
    try {
      await client.delete(resources.jobs, name, { namespace, signal, options });
      recorder.event(cronJob, "Normal", "SuccessfulDelete", `Deleted job ${name}`);
    } catch (error) {
      if (isNotFound(error)) return;
      recorder.event(cronJob, "Warning", "FailedDelete", `Deleted job: ${messageOf(error)}`);
      throw error;
    }
  }

  async #updateStatus(
    key: string,
    cronJob: DeepReadonly<CronJob>,
    wanted: DeepReadonly<CronJobStatus>,
    signal: AbortSignal,
  ): Promise<void> {
    const { active, ...rest } = wanted;
    const status = { ...rest, ...(active === undefined || active.length === 0 ? {} : { active }) } as CronJobStatus;
    if (deepEqual(cronJob.status ?? {}, status)) return;
    const { namespace } = cronJob.metadata;
    const options = { namespace, subresource: "status", signal };
    const updated = await this.#context.client.update(resources.cronjobs, { ...cronJob, status }, options);
    this.#written.set(key, Number(updated.metadata.resourceVersion));
  }
}

function jobAt(cronJob: DeepReadonly<CronJob>, dueMs: number): DeepReadonly<Job> {
  const { metadata: { labels, annotations } = {}, spec } = cronJob.spec.jobTemplate;
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: {
      name: jobNameAt(cronJob, dueMs),
      namespace: cronJob.metadata.namespace,
      labels,
      annotations: { ...annotations, [SCHEDULED_TIMESTAMP]: zonedTime(dueMs, cronJob.spec.timeZone) },
      ownerReferences: [newControllerRef(cronJob, KIND)],
    },
    ...(spec === undefined ? {} : { spec }),
  };
}
