// Runs each Job's pods to the end, and counts them.
import { podReady, resources } from "../../api/index.ts";
import type { Job, JobStatus } from "../../api/types/batch/v1.ts";
import type { Pod } from "../../api/types/core/v1.ts";
import { getControllerOf, newControllerRef, type ReconcileResult, WorkQueue } from "../../client/index.ts";
import { type DeepReadonly, deepEqual, labelSelectorMatcher, splitKey } from "../../machinery/index.ts";
import { type Controller, type ControllerContext, keyedController } from "../controller.ts";
import { OwnedPods } from "../owned-pods.ts";
import { PodControl, type PodFailure } from "../pod-control.ts";
import { type FailureRecord, NO_FAILURES } from "./job-backoff.ts";
import { isTracked, TRACKING_FINALIZER } from "./job-pod.ts";
import { type JobSnapshot, type JobView, viewJob } from "./job-view.ts";
import { isJobFinished, isSuspended, type JobPlan, planJob, type Verdict } from "./plan.ts";
import { PodReleaser } from "./pod-releaser.ts";
import { finishJob, isComplete, nextStatus, type PodCounts } from "./status.ts";
import { countReleased, trackedUids, trackPods } from "./tracking.ts";

type Status = DeepReadonly<JobStatus>;

const MANAGED_BY = "kubernetes.io/job-controller";
/** Pods with the tracking finalizer: by the key of the job that they name, or by `namespace/` when they name none. */
const TRACKED = "tracked-by-job";

export function jobController(context: ControllerContext): Controller {
  const reconciler = new JobReconciler(context);
  return keyedController({
    name: "job-controller",
    context,
    queue: reconciler.queue,
    reconcile: (key, signal) => reconciler.reconcile(key, signal),
  });
}

class JobReconciler {
  readonly queue: WorkQueue<string>;
  readonly #context: ControllerContext;
  readonly #pods: OwnedPods<Job>;
  readonly #podControl: PodControl;
  readonly #releaser: PodReleaser;
  /** Failures in a row, by job. */
  readonly #failures = new Map<string, FailureRecord>();
  /** The version that was written last, by job: with an older one from the informer pods would be counted twice. */
  readonly #written = new Map<string, number>();

  constructor(context: ControllerContext) {
    this.#context = context;
    this.queue = new WorkQueue({ clock: context.clock });
    this.#pods = new OwnedPods({
      context,
      resource: resources.jobs,
      selectorOf: ({ spec }) => labelSelectorMatcher(spec?.selector),
      finalizers: [TRACKING_FINALIZER],
      goesOnFromStatus: true,
      queue: (key, delayMs) => this.queue.addAfter(key, delayMs),
    });
    const jobOf = (pod: DeepReadonly<Pod>) => this.#pods.keyOfOwner(pod) ?? `${pod.metadata.namespace}/`;
    this.#pods.informer.addIndex(TRACKED, (pod) => (isTracked(pod) ? [jobOf(pod)] : []));
    const checkOrphan = (pod: DeepReadonly<Pod>) => {
      if (isTracked(pod) && getControllerOf(pod) === undefined) this.queue.add(jobOf(pod));
    };
    this.#pods.informer.onChange({ added: checkOrphan, updated: (_, pod) => checkOrphan(pod) });
    this.#releaser = new PodReleaser(context.client, this.#pods.informer);
    this.#podControl = new PodControl(context, this.#pods.expectations);
  }

  async reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult | undefined> {
    const { namespace, name } = splitKey(key);
    const job = this.#pods.owners.lister.get(namespace, name);
    await this.#releaseOrphans(key, job, signal);
    if (job === undefined || isJobFinished(job)) this.#failures.delete(key);
    if (job === undefined) this.#written.delete(key);
    if (job === undefined || isJobFinished(job) || (job.spec?.managedBy ?? MANAGED_BY) !== MANAGED_BY) return undefined;
    if (Number(job.metadata.resourceVersion) < (this.#written.get(key) ?? 0)) return undefined;
    const isCurrent = this.#pods.expectations.isSatisfied(key);
    const snapshot: JobSnapshot = {
      job,
      pods: await this.#pods.claim(job, signal),
      released: this.#releaser.released,
      isCurrent,
      failures: this.#failures.get(key) ?? NO_FAILURES,
      nowMs: this.#context.clock.now(),
    };
    return this.#sync(key, snapshot, signal);
  }

  async #sync(key: string, snapshot: JobSnapshot, signal: AbortSignal): Promise<ReconcileResult | undefined> {
    const { job } = snapshot;
    const view = viewJob(snapshot);
    const plan = planJob(snapshot, view, newControllerRef(job, this.#pods.kind));
    const failure = await this.#podControl.carryOut(
      {
        owner: job,
        create: plan.create,
        delete: plan.delete,
        // Pods of a job that goes on are not counted; those of one that ends are, and keep the finalizer until then.
        ...(plan.verdict === undefined ? { beforeDelete: (pod, abort) => this.#releaser.release(pod, abort) } : {}),
      },
      signal,
    );
    const counts = podCounts(view, plan, failure);
    const verdict = this.#verdict(snapshot, view, { plan, counts, failure });
    const status = nextStatus(job, plan, counts, snapshot.nowMs);
    this.#tellSuspension(job, status);
    await this.#track(key, { snapshot, view, verdict, status }, signal);
    if (failure !== undefined) throw failure.error;
    return plan.wakeInMs === Number.POSITIVE_INFINITY ? undefined : { requeueAfterMs: plan.wakeInMs };
  }

  /** The plan's, once all pods have been told to go; or that the job is complete. */
  #verdict(
    { job, isCurrent }: JobSnapshot,
    view: JobView,
    { plan, counts, failure }: { readonly plan: JobPlan; readonly counts: PodCounts; readonly failure: PodFailure | undefined },
  ): Verdict | undefined {
    if (plan.verdict !== undefined) return isCurrent && failure === undefined ? plan.verdict : undefined;
    const isDone = isComplete(job, view.succeeded, counts.active);
    return isDone
      ? { type: "SuccessCriteriaMet", reason: "CompletionsReached", message: "Reached expected number of succeeded pods" }
      : undefined;
  }

  async #track(
    key: string,
    input: { readonly snapshot: JobSnapshot; readonly view: JobView; readonly verdict: Verdict | undefined; readonly status: Status },
    signal: AbortSignal,
  ): Promise<void> {
    const { snapshot, view, verdict } = input;
    const tracking = trackPods(input);
    let job = await this.#updateStatus(key, snapshot.job, tracking.status, signal);
    this.#failures.set(key, view.failures);
    const tracked = new Set(trackedUids(snapshot));
    const releases = await Promise.allSettled(tracking.release.map((pod) => this.#releaser.release(pod, signal)));
    for (const [i, { status }] of releases.entries()) if (status === "fulfilled") tracked.delete(tracking.release[i]?.metadata.uid ?? "");
    const counted = countReleased({ ...tracking.status }, tracked);
    const finish = tracking.isAll ? finishJob(counted, verdict, snapshot.nowMs) : { status: counted, condition: undefined };
    job = await this.#updateStatus(key, job, finish.status, signal);
    if (finish.condition !== undefined) this.#tellFinished(job, finish.condition);
    const failed = releases.find(({ status }) => status === "rejected");
    if (failed?.status === "rejected") throw failed.reason;
  }

  async #updateStatus(key: string, job: DeepReadonly<Job>, status: Status, signal: AbortSignal): Promise<DeepReadonly<Job>> {
    const wanted = { ...job, status: normalized(status) };
    if (deepEqual(job.status, wanted.status)) return job;
    const { namespace } = job.metadata;
    const updated = await this.#context.client.update(resources.jobs, wanted, { namespace, subresource: "status", signal });
    this.#written.set(key, Number(updated.metadata.resourceVersion));
    return updated;
  }

  /** Pods whose job is gone, or is another one of the same name, or that belong to none: nobody else would let them go. */
  async #releaseOrphans(key: string, job: DeepReadonly<Job> | undefined, signal: AbortSignal): Promise<void> {
    const { namespace } = splitKey(key);
    const { lister } = this.#pods.informer;
    const orphans = [
      ...lister.byIndex(TRACKED, key).filter((pod) => job === undefined || getControllerOf(pod)?.uid !== job.metadata.uid),
      ...lister.byIndex(TRACKED, `${namespace}/`).filter((pod) => getControllerOf(pod) === undefined),
    ];
    await Promise.all(orphans.map((pod) => this.#releaser.release(pod, signal)));
  }

  #tellSuspension(job: DeepReadonly<Job>, status: Status): void {
    if (status.conditions === job.status?.conditions || status.conditions === undefined) return;
    const [reason, message] = isSuspended(job) ? (["Suspended", "Job suspended"] as const) : (["Resumed", "Job resumed"] as const);
    this.#context.recorder.event(job, "Normal", reason, message);
  }

  #tellFinished(job: DeepReadonly<Job>, { type, reason = "", message = "" }: NonNullable<Status["conditions"]>[number]): void {
    const { recorder } = this.#context;
    if (type === "Failed") {
      recorder.event(job, "Warning", reason, message);
      return;
    }
    if (job.spec?.completions !== undefined && (job.status?.succeeded ?? 0) > job.spec.completions)
      recorder.event(job, "Warning", "TooManySucceededPods", "Too many succeeded pods running after completion count reached");
    recorder.event(job, "Normal", "Completed", "Job completed");
  }
}

/** What is active, ready and terminating when the plan has been carried out; after a failure as before, until pods are seen. */
function podCounts({ active, ready, terminating }: JobView, plan: JobPlan, failure: PodFailure | undefined): PodCounts {
  if (failure !== undefined) return { active: active.length, ready, terminating: terminating.length };
  return {
    active: active.length - plan.delete.length + plan.create.length,
    ready: ready - plan.delete.filter(podReady).length,
    terminating: terminating.length + plan.delete.length,
  };
}

/** Without what upstream's encoding leaves out. */
function normalized(status: Status): JobStatus {
  const { active, succeeded, failed, completedIndexes, conditions, ...rest } = status;
  return {
    ...(rest as JobStatus),
    ...(active ? { active } : {}),
    ...(succeeded ? { succeeded } : {}),
    ...(failed ? { failed } : {}),
    ...(completedIndexes ? { completedIndexes } : {}),
    ...(conditions === undefined || conditions.length === 0 ? {} : { conditions: conditions.map((condition) => ({ ...condition })) }),
  };
}
