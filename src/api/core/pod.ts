// Pod: defaults, validation, what updates may change, grace, selectable fields.
import { type FieldError, field } from "../../machinery/index.ts";
import { isPodTerminal, podQosClass } from "../pod-state.ts";
import type { KindStrategy } from "../strategy.ts";
import type { Pod, PodSpec } from "../types/core/v1.ts";
import { keepSpec, keepStatus } from "../validation/prepare.ts";
import { podColumns } from "./pod-columns.ts";
import { validatePodResize } from "./pod-resize.ts";
import { applyHostNetworkPorts, applyRequestsFromLimits } from "./pod-spec/container-defaults.ts";
import { applyPodSpecDefaults } from "./pod-spec/defaults.ts";
import { applyMatchLabelKeys } from "./pod-spec/match-label-keys.ts";
import { applyPodLevelRequests } from "./pod-spec/pod-level-resources.ts";
import { validatePodSpec } from "./pod-spec/validate.ts";
import { validateEphemeralContainersUpdate, validatePodUpdate } from "./pod-update.ts";

function applyDefaults(pod: Pod): void {
  const { spec, status } = pod;
  if (spec) {
    applyPodSpecDefaults(spec);
    applyPodOnlyDefaults(spec);
  }
  if (status?.podIP && !status.podIPs?.length) status.podIPs = [{ ip: status.podIP }];
  if (status?.hostIP && !status.hostIPs?.length) status.hostIPs = [{ ip: status.hostIP }];
}

/** What a template does not get. */
function applyPodOnlyDefaults(spec: PodSpec): void {
  spec.enableServiceLinks ??= true;
  for (const container of spec.containers ?? []) applyRequestsFromLimits(container.resources);
  if (spec.initContainers) for (const container of spec.initContainers) applyRequestsFromLimits(container.resources);
  if (spec.resources) applyPodLevelRequests(spec);
  if (!spec.hostNetwork) return;
  for (const container of spec.containers ?? []) applyHostNetworkPorts(container.ports);
  for (const container of spec.initContainers ?? []) applyHostNetworkPorts(container.ports);
}

function prepareForCreate(pod: Pod): void {
  pod.status = { phase: "Pending", qosClass: podQosClass(pod) };
  applyMatchLabelKeys(pod);
  if (!pod.spec?.schedulingGates?.length) return;
  const message = "Scheduling is blocked due to non-empty scheduling gates";
  pod.status.conditions = [{ type: "PodScheduled", status: "False", reason: "SchedulingGated", message }];
}

function prepareForStatusUpdate(pod: Pod, old: Pod): void {
  keepSpec(pod, old);
  // The class never changes; writers that do not know it leave it out.
  if (pod.status && !pod.status.qosClass) pod.status.qosClass = old.status?.qosClass;
}

function validateStatusUpdate(pod: Pod, old: Pod): FieldError[] {
  const errors: FieldError[] = [];
  const { qosClass, nominatedNodeName } = pod.status ?? {};
  if (old.status?.qosClass && qosClass !== old.status.qosClass) {
    errors.push(field.invalid("status.qosClass", qosClass ?? "", "field is immutable"));
  }
  if (nominatedNodeName && !/^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/.test(nominatedNodeName)) {
    errors.push(field.invalid("status.nominatedNodeName", nominatedNodeName, "must be a valid node name"));
  }
  return errors;
}

function gracePeriodSeconds(pod: Pod, requestedSeconds: number | undefined): number {
  let seconds = requestedSeconds ?? pod.spec?.terminationGracePeriodSeconds ?? 0;
  if (!pod.spec?.nodeName || isPodTerminal(pod)) seconds = 0;
  return seconds < 0 ? 1 : seconds;
}

export const podStrategy: KindStrategy<Pod> = {
  applyDefaults,
  prepareForCreate,
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate,
  validate(pod) {
    const errors: FieldError[] = [];
    validatePodSpec(errors, "spec", pod.spec);
    return errors;
  },
  validateUpdate: validatePodUpdate,
  validateStatusUpdate,
  validateSubresourceUpdate: { ephemeralcontainers: validateEphemeralContainersUpdate, resize: validatePodResize },
  columns: podColumns,
  hasGeneration: true,
  gracePeriodSeconds,
  selectableFields: {
    "spec.nodeName": (pod) => pod.spec?.nodeName ?? "",
    "spec.restartPolicy": (pod) => pod.spec?.restartPolicy ?? "",
    "spec.schedulerName": (pod) => pod.spec?.schedulerName ?? "",
    "spec.serviceAccountName": (pod) => pod.spec?.serviceAccountName ?? "",
    "spec.hostNetwork": (pod) => String(pod.spec?.hostNetwork ?? false),
    "status.phase": (pod) => pod.status?.phase ?? "",
    "status.podIP": (pod) => pod.status?.podIPs?.[0]?.ip ?? pod.status?.podIP ?? "",
    "status.nominatedNodeName": (pod) => pod.status?.nominatedNodeName ?? "",
  },
};
