// The types of metrics.k8s.io/v1beta1, and the references by which a Client names them.
import type { KubeObject } from "../../machinery/index.ts";
import type { ResourceRef } from "../resource.ts";

/** Quantities by resource: `cpu` in cores, `memory` in bytes. */
export type ResourceUsage = Readonly<Record<string, string>>;

export interface NodeMetrics extends KubeObject {
  /** The end of the interval that `window` long was measured. */
  timestamp: string;
  window: string;
  usage: ResourceUsage;
}

export interface ContainerMetrics {
  name: string;
  usage: ResourceUsage;
}

export interface PodMetrics extends KubeObject {
  timestamp: string;
  window: string;
  containers: ContainerMetrics[];
}

const shared = { group: "metrics.k8s.io", version: "v1beta1" } as const;

export const nodeMetrics: ResourceRef<NodeMetrics> = { ...shared, resource: "nodes", kind: "NodeMetrics", namespaced: false };
export const podMetrics: ResourceRef<PodMetrics> = { ...shared, resource: "pods", kind: "PodMetrics", namespaced: true };
