// Defaults of a pod's specification, in pods and in the templates of workloads.
import type { PodSpec, PodTemplateSpec } from "../../types/core/v1.ts";
import { applyContainerDefaults } from "./container-defaults.ts";
import { applyVolumeDefaults } from "./volume-defaults.ts";

export function applyPodSpecDefaults(spec: PodSpec): void {
  spec.dnsPolicy ||= "ClusterFirst";
  spec.restartPolicy ||= "Always";
  spec.terminationGracePeriodSeconds ??= 30;
  spec.schedulerName ||= "default-scheduler";
  spec.securityContext ??= {};
  // The two names of one field; the deprecated one follows.
  const account = spec.serviceAccountName || spec.serviceAccount;
  if (account && account !== spec.serviceAccountName) spec.serviceAccountName = account;
  if (account && account !== spec.serviceAccount) spec.serviceAccount = account;
  if (spec.volumes) for (const volume of spec.volumes) applyVolumeDefaults(volume);
  if (spec.initContainers) for (const container of spec.initContainers) applyContainerDefaults(container);
  if (spec.containers) for (const container of spec.containers) applyContainerDefaults(container);
  if (spec.ephemeralContainers) for (const container of spec.ephemeralContainers) applyContainerDefaults(container);
}

/** Templates get the specification's defaults, but not those that only a pod gets (requests, service links, host ports). */
export function applyPodTemplateDefaults(template: PodTemplateSpec | undefined): void {
  if (template?.spec) applyPodSpecDefaults(template.spec);
}
