// What must hold of workloads: at every moment, and when all has come to rest.
import { isPodTerminal, resources } from "../../../src/api/index.ts";
import type { DaemonSet, Deployment, ReplicaSet, StatefulSet } from "../../../src/api/types/apps/v1.ts";
import type { HorizontalPodAutoscaler } from "../../../src/api/types/autoscaling/v2.ts";
import type { Job } from "../../../src/api/types/batch/v1.ts";
import type { Pod } from "../../../src/api/types/core/v1.ts";
import type { PodDisruptionBudget } from "../../../src/api/types/policy/v1.ts";
import { type Client, getControllerOf } from "../../../src/client/index.ts";
import { type DeepReadonly, type KubeObject, objectKey } from "../../../src/machinery/index.ts";
import { companionProblems } from "./companions.ts";

type Many<T> = readonly DeepReadonly<T>[];

export interface World {
  readonly pods: Many<Pod>;
  readonly replicaSets: Many<ReplicaSet>;
  readonly deployments: Many<Deployment>;
  readonly statefulSets: Many<StatefulSet>;
  readonly daemonSets: Many<DaemonSet>;
  readonly jobs: Many<Job>;
  readonly budgets: Many<PodDisruptionBudget>;
  readonly autoscalers: Many<HorizontalPodAutoscaler>;
  /** Everything else whose owners must be there. */
  readonly others: Many<KubeObject>;
  readonly nodes: number;
}

export async function readWorld(client: Client): Promise<World> {
  const [pods, replicaSets, deployments, statefulSets, daemonSets, jobs, budgets, autoscalers, revisions, cronJobs, nodes] =
    await Promise.all([
      client.list(resources.pods),
      client.list(resources.replicasets),
      client.list(resources.deployments),
      client.list(resources.statefulsets),
      client.list(resources.daemonsets),
      client.list(resources.jobs),
      client.list(resources.poddisruptionbudgets),
      client.list(resources.horizontalpodautoscalers),
      client.list(resources.controllerrevisions),
      client.list(resources.cronjobs),
      client.list(resources.nodes),
    ]);
  return {
    pods: pods.items,
    replicaSets: replicaSets.items,
    deployments: deployments.items,
    statefulSets: statefulSets.items,
    daemonSets: daemonSets.items,
    jobs: jobs.items,
    budgets: budgets.items,
    autoscalers: autoscalers.items,
    others: [...revisions.items, ...cronJobs.items],
    nodes: nodes.items.length,
  };
}

function isActive(pod: DeepReadonly<Pod>): boolean {
  return pod.metadata.deletionTimestamp === undefined && !isPodTerminal(pod);
}

function activeOf(world: World, owner: DeepReadonly<KubeObject>): Many<Pod> {
  return world.pods.filter((pod) => getControllerOf(pod)?.uid === owner.metadata.uid && isActive(pod));
}

/** What must hold whenever the controllers have had a moment; of ReplicaSets see `SizeHistory`. */
export function momentaryProblems(world: World): string[] {
  const problems: string[] = [];
  for (const set of world.daemonSets) {
    const most = set.spec?.updateStrategy?.rollingUpdate?.maxSurge === 1 ? 2 : 1;
    const nodes = activeOf(world, set).map(({ spec }) => spec?.nodeName);
    for (const node of new Set(nodes)) {
      const count = nodes.filter((each) => each === node).length;
      if (node !== undefined && count > most) problems.push(`${objectKey(set)} has ${count} pods on ${node}`);
    }
  }
  for (const job of world.jobs) {
    const active = activeOf(world, job);
    const { parallelism = 1 } = job.spec ?? {};
    if (job.metadata.deletionTimestamp === undefined && active.length > parallelism)
      problems.push(`${objectKey(job)} runs ${active.length} pods at once`);
    const indexes = active
      .map(({ metadata }) => metadata.annotations?.["batch.kubernetes.io/job-completion-index"])
      .filter((index) => index !== undefined);
    if (new Set(indexes).size < indexes.length) problems.push(`${objectKey(job)} runs an index twice`);
    if ((job.status?.succeeded ?? 0) > (job.spec?.completions ?? 0)) problems.push(`${objectKey(job)} succeeded too often`);
  }
  return problems;
}

/** What must hold when nothing has disturbed the cluster for long. */
export function finalProblems(world: World): string[] {
  const problems = momentaryProblems(world);
  const expect = (object: DeepReadonly<KubeObject>, what: string, actual: unknown, wanted: unknown) => {
    if (actual !== wanted) problems.push(`${objectKey(object)}: ${what} is ${String(actual)} instead of ${String(wanted)}`);
  };
  for (const deployment of world.deployments) {
    const { status, spec } = deployment;
    expect(deployment, "available", status?.availableReplicas ?? 0, spec?.replicas);
    expect(deployment, "updated", status?.updatedReplicas ?? 0, spec?.replicas);
    expect(deployment, "replicas", status?.replicas ?? 0, spec?.replicas);
    const sets = world.replicaSets.filter((set) => getControllerOf(set)?.uid === deployment.metadata.uid);
    const limit = (spec?.revisionHistoryLimit ?? 10) + 1;
    if (sets.length > limit) problems.push(`${objectKey(deployment)} keeps ${sets.length} sets`);
  }
  for (const set of world.statefulSets) {
    expect(set, "available", set.status?.availableReplicas, set.spec?.replicas);
    expect(set, "updated", set.status?.updatedReplicas ?? 0, set.spec?.replicas);
    expect(set, "current revision", set.status?.currentRevision, set.status?.updateRevision);
  }
  for (const set of world.daemonSets) {
    expect(set, "available", set.status?.numberAvailable ?? 0, world.nodes);
    expect(set, "updated", set.status?.updatedNumberScheduled ?? 0, world.nodes);
  }
  for (const job of world.jobs) problems.push(...jobProblems(world, job));
  problems.push(...companionProblems({ ...world, targets: [...world.deployments, ...world.statefulSets] }));
  problems.push(...orphans(world));
  return problems;
}

function jobProblems(world: World, job: DeepReadonly<Job>): string[] {
  const problems: string[] = [];
  const say = (text: string) => problems.push(`${objectKey(job)} ${text}`);
  const { status, spec } = job;
  const isTrue = (type: string) => status?.conditions?.some((condition) => condition.type === type && condition.status === "True") === true;
  const isStopped = spec?.suspend === true || spec?.parallelism === 0;
  if (isTrue("Complete") && isTrue("Failed")) say("is complete and failed");
  if (!isTrue("Complete") && !isTrue("Failed") && !isStopped) say("has not ended");
  if (isTrue("Complete") && status?.succeeded !== spec?.completions) say(`is complete with ${status?.succeeded} of ${spec?.completions}`);
  const { succeeded = [], failed = [] } = status?.uncountedTerminatedPods ?? {};
  if (succeeded.length + failed.length > 0) say("has uncounted pods");
  if ((status?.active ?? 0) > 0 || (status?.terminating ?? 0) > 0)
    say(`counts ${status?.active} active and ${status?.terminating} terminating pods`);
  const tracked = world.pods.filter((pod) => getControllerOf(pod)?.uid === job.metadata.uid && pod.metadata.finalizers !== undefined);
  if (tracked.length > 0 && !isStopped) say(`holds ${tracked.length} pods`);
  return problems;
}

function orphans(world: World): string[] {
  const all = [...world.replicaSets, ...world.deployments, ...world.statefulSets, ...world.daemonSets, ...world.jobs, ...world.others];
  const uids = new Set(all.map(({ metadata }) => metadata.uid));
  return [...world.pods, ...all].flatMap((object) => {
    const owner = getControllerOf(object);
    if (object.metadata.deletionTimestamp !== undefined) return [`${objectKey(object)} does not go away`];
    return owner !== undefined && !uids.has(owner.uid) ? [`${objectKey(object)} has lost its owner ${owner.kind} ${owner.name}`] : [];
  });
}
