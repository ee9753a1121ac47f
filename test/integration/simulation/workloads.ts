// The objects that a simulation makes, and how it changes them.
import { type ResourceRef, resources } from "../../../src/api/index.ts";
import type { DaemonSet, Deployment, StatefulSet } from "../../../src/api/types/apps/v1.ts";
import type { CronJob, Job } from "../../../src/api/types/batch/v1.ts";
import type { PodTemplateSpec } from "../../../src/api/types/core/v1.ts";
import type { KubeObject } from "../../../src/machinery/index.ts";
import { REQUESTED_CORES } from "./companions.ts";
import type { RandomChoice } from "./random-choice.ts";

export interface WorkloadKind {
  readonly resource: ResourceRef<KubeObject>;
  make(name: string, choice: RandomChoice): KubeObject;
  /** A merge patch that changes something in a random way. */
  change(choice: RandomChoice): { readonly patch: object; readonly text: string };
}

const IMAGES = ["app:1", "app:2", "app:3"];

function template(
  name: string,
  choice: RandomChoice,
  { runSeconds, exitCode = 0 }: { runSeconds?: number; exitCode?: number } = {},
): PodTemplateSpec {
  const annotations = {
    "sim.k8ts.dev/ready-after-seconds": String(choice.between(0, 12)),
    "sim.k8ts.dev/stop-delay-seconds": String(choice.between(0, 5)),
    "sim.k8ts.dev/cpu-cores": choice.happens(0.5) ? "0.02" : "0.3",
    ...(runSeconds === undefined ? {} : { "sim.k8ts.dev/run-for-seconds": String(runSeconds) }),
    "sim.k8ts.dev/exit-code": String(exitCode),
  };
  const readinessProbe = { exec: { command: ["true"] }, periodSeconds: 10 };
  const requests = { cpu: `${REQUESTED_CORES * 1000}m` };
  const image = choice.oneOf(IMAGES) ?? "";
  const container = { name: "main", image, resources: { requests }, ...(runSeconds === undefined ? { readinessProbe } : {}) };
  const restartPolicy = runSeconds === undefined ? "Always" : "Never";
  return {
    metadata: { labels: { app: name }, annotations },
    spec: { terminationGracePeriodSeconds: 10, restartPolicy, containers: [container] },
  };
}

const newImage = (choice: RandomChoice) => {
  const image = choice.oneOf(IMAGES) ?? "";
  const resources = { requests: { cpu: `${REQUESTED_CORES * 1000}m` } };
  return { patch: { spec: { template: { spec: { containers: [{ name: "main", image, resources }] } } } }, text: `image ${image}` };
};

const newSize = (choice: RandomChoice) => {
  const replicas = choice.between(0, 5);
  return { patch: { spec: { replicas } }, text: `replicas ${replicas}` };
};

const imageOrSize = (choice: RandomChoice) => (choice.happens(0.5) ? newImage(choice) : newSize(choice));

const deployments: WorkloadKind = {
  resource: resources.deployments,
  make(name, choice): Deployment {
    const rollingUpdate = choice.oneOf([
      { maxSurge: 1, maxUnavailable: 0 },
      { maxSurge: 0, maxUnavailable: 1 },
      { maxSurge: "50%", maxUnavailable: "50%" },
    ]);
    const strategy = choice.happens(0.2)
      ? { type: "Recreate" }
      : { type: "RollingUpdate", ...(rollingUpdate === undefined ? {} : { rollingUpdate }) };
    const minReadySeconds = choice.between(0, 3);
    const revisionHistoryLimit = choice.between(0, 2);
    const selector = { matchLabels: { app: name } };
    const spec = {
      replicas: choice.between(0, 4),
      selector,
      template: template(name, choice),
      strategy,
      minReadySeconds,
      revisionHistoryLimit,
    };
    return { metadata: { name }, spec };
  },
  change: imageOrSize,
};

const statefulSets: WorkloadKind = {
  resource: resources.statefulsets,
  make(name, choice): StatefulSet {
    const podManagementPolicy = choice.happens(0.3) ? "Parallel" : "OrderedReady";
    const ordinals = { start: choice.happens(0.2) ? 3 : 0 };
    const rollingUpdate = { maxUnavailable: choice.between(1, 2) };
    const updateStrategy = { type: "RollingUpdate", rollingUpdate };
    const selector = { matchLabels: { app: name } };
    const spec = {
      replicas: choice.between(0, 4),
      serviceName: name,
      selector,
      template: template(name, choice),
      podManagementPolicy,
      ordinals,
      updateStrategy,
    };
    return { metadata: { name }, spec };
  },
  change: imageOrSize,
};

const daemonSets: WorkloadKind = {
  resource: resources.daemonsets,
  make(name, choice): DaemonSet {
    const rollingUpdate = choice.happens(0.3) ? { maxSurge: 1, maxUnavailable: 0 } : { maxUnavailable: choice.between(1, 2) };
    const updateStrategy = { type: "RollingUpdate", rollingUpdate };
    return { metadata: { name }, spec: { selector: { matchLabels: { app: name } }, template: template(name, choice), updateStrategy } };
  },
  change: newImage,
};

const jobs: WorkloadKind = {
  resource: resources.jobs,
  make(name, choice): Job {
    const exitCode = choice.happens(0.2) ? 1 : 0;
    const indexed = choice.happens(0.5) ? { completionMode: "Indexed" } : {};
    const perIndex =
      choice.happens(0.5) && choice.happens(0.5) ? { completionMode: "Indexed", backoffLimitPerIndex: choice.between(0, 1) } : {};
    const podReplacementPolicy = choice.happens(0.3) ? "Failed" : "TerminatingOrFailed";
    const { metadata: { annotations = {} } = {}, ...rest } = template(name, choice, { runSeconds: choice.between(1, 20), exitCode });
    const spec = {
      completions: choice.between(1, 5),
      parallelism: choice.between(1, 3),
      backoffLimit: choice.between(0, 3),
      podReplacementPolicy,
    };
    return { metadata: { name }, spec: { ...spec, ...indexed, ...perIndex, template: { metadata: { annotations }, ...rest } } };
  },
  change(choice) {
    const spec = choice.oneOf<object>([{ suspend: true }, { suspend: false }, { parallelism: choice.between(0, 4) }]) ?? {};
    return { patch: { spec }, text: JSON.stringify(spec) };
  },
};

const cronJobs: WorkloadKind = {
  resource: resources.cronjobs,
  make(name, choice): CronJob {
    const concurrencyPolicy = choice.oneOf(["Allow", "Forbid", "Replace"]) ?? "Allow";
    const { metadata: { annotations = {} } = {}, ...rest } = template(name, choice, { runSeconds: choice.between(1, 90) });
    const jobTemplate = { spec: { template: { metadata: { annotations }, ...rest } } };
    return { metadata: { name }, spec: { schedule: "* * * * *", concurrencyPolicy, jobTemplate } };
  },
  change(choice) {
    const suspend = choice.happens(0.5);
    return { patch: { spec: { suspend } }, text: `suspend ${suspend}` };
  },
};

export const workloadKinds: readonly WorkloadKind[] = [
  deployments,
  deployments,
  statefulSets,
  statefulSets,
  daemonSets,
  jobs,
  jobs,
  cronJobs,
];
