// Pods of a test of the scheduler, in a whole cluster of simulated nodes.
import { resources } from "../../../src/api/index.ts";
import type { Pod, PodSpec } from "../../../src/api/types/core/v1.ts";
import type { DeepReadonly } from "../../../src/machinery/index.ts";
import type { Cluster } from "../../../src/testing/index.ts";

export const inDefault = { namespace: "default" };

export interface PodShape {
  readonly cpu?: string;
  readonly labels?: Record<string, string>;
  readonly spec?: Partial<PodSpec>;
}

export async function createPod(cluster: Cluster, name: string, { cpu = "100m", labels = {}, spec = {} }: PodShape = {}): Promise<void> {
  const resourcesOf = { requests: { cpu } };
  const containers = [{ name: "main", image: "image", resources: resourcesOf }];
  const object: Pod = { metadata: { name, ...inDefault, labels }, spec: { terminationGracePeriodSeconds: 0, containers, ...spec } };
  await cluster.client.create(resources.pods, object, inDefault);
}

/** Undefined when the pod is gone. */
export async function findPod(cluster: Cluster, name: string): Promise<DeepReadonly<Pod> | undefined> {
  const { items } = await cluster.client.list<Pod>(resources.pods, inDefault);
  return items.find(({ metadata }) => metadata.name === name);
}

export async function nodeOfPod(cluster: Cluster, name: string): Promise<string | undefined> {
  return (await findPod(cluster, name))?.spec?.nodeName;
}

/** What the pod's PodScheduled condition says. */
export async function whyPending(cluster: Cluster, name: string): Promise<string | undefined> {
  const pod = await findPod(cluster, name);
  const condition = pod?.status?.conditions?.find(({ type }) => type === "PodScheduled");
  return condition?.status === "False" ? `${condition.reason}: ${condition.message}` : undefined;
}

export async function createPriorityClass(cluster: Cluster, name: string, value: number, preemptionPolicy?: string): Promise<void> {
  await cluster.client.create(resources.priorityclasses, {
    metadata: { name },
    value,
    ...(preemptionPolicy === undefined ? {} : { preemptionPolicy }),
  });
}

/** Changes a node's labels or what else a merge patch says. */
export async function patchNode(cluster: Cluster, name: string, patch: object): Promise<void> {
  await cluster.client.patch(resources.nodes, name, patch, { type: "application/merge-patch+json" });
}

/** Messages of events with that reason. */
export async function events(cluster: Cluster, reason: string): Promise<string[]> {
  const { items } = await cluster.client.list(resources.events, inDefault);
  return items.filter((event) => event.reason === reason).map(({ message = "" }) => message);
}
