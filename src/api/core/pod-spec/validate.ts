// Validation of a pod's specification, in pods and in the templates of workloads.
import {
  type FieldError,
  field,
  isDns1123Label,
  isDns1123Subdomain,
  isQualifiedName,
  isValidIp,
  validateAnnotations,
  validateLabels,
} from "../../../machinery/index.ts";
import type { PodSpec, PodTemplateSpec } from "../../types/core/v1.ts";
import { checkMessages, checkOneOf, checkRequiredName, checkRequiredOneOf, checkSubdomain } from "../../validation/checks.ts";
import { checkUniqueNames, validateContainers } from "./validate-containers.ts";
import { validateResources } from "./validate-resources.ts";
import { validateAffinity, validateTolerations, validateTopologySpread } from "./validate-scheduling.ts";
import { validatePodSecurityContext } from "./validate-security.ts";
import { validateVolumes } from "./validate-volumes.ts";

const restartPolicies = ["Always", "OnFailure", "Never"];
const dnsPolicies = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
const maxDeadline = 2147483647;

export function validatePodSpec(errors: FieldError[], path: string, spec: PodSpec | undefined): void {
  if (!spec) return void errors.push(field.required(`${path}.containers`));
  const volumes = validateVolumes(errors, `${path}.volumes`, spec.volumes);
  validateContainers(errors, path, spec, volumes);
  checkRequiredOneOf(errors, `${path}.restartPolicy`, spec.restartPolicy, restartPolicies);
  checkRequiredOneOf(errors, `${path}.dnsPolicy`, spec.dnsPolicy, dnsPolicies);
  if (spec.nodeSelector) errors.push(...validateLabels(spec.nodeSelector, `${path}.nodeSelector`));
  validatePodSecurityContext(errors, `${path}.securityContext`, spec.securityContext);
  validateNames(errors, path, spec);
  validateHostNamespaces(errors, path, spec);
  validateDns(errors, path, spec);
  validateAffinity(errors, `${path}.affinity`, spec.affinity);
  validateTolerations(errors, `${path}.tolerations`, spec.tolerations);
  if (spec.topologySpreadConstraints) validateTopologySpread(errors, `${path}.topologySpreadConstraints`, spec.topologySpreadConstraints);
  if (spec.resources) validateResources(errors, `${path}.resources`, spec.resources);
  const deadline = spec.activeDeadlineSeconds;
  if (deadline !== undefined && !(deadline >= 1 && deadline <= maxDeadline)) {
    errors.push(field.invalid(`${path}.activeDeadlineSeconds`, deadline, `must be between 1 and ${maxDeadline}, inclusive`));
  }
  checkOneOf(errors, `${path}.preemptionPolicy`, spec.preemptionPolicy, ["Never", "PreemptLowerPriority"]);
  if (spec.os) checkOneOf(errors, `${path}.os.name`, spec.os.name, ["linux", "windows"]);
}

function validateNames(errors: FieldError[], path: string, spec: PodSpec): void {
  checkSubdomain(errors, `${path}.serviceAccountName`, spec.serviceAccountName);
  checkSubdomain(errors, `${path}.nodeName`, spec.nodeName);
  checkSubdomain(errors, `${path}.priorityClassName`, spec.priorityClassName);
  checkSubdomain(errors, `${path}.runtimeClassName`, spec.runtimeClassName);
  if (!spec.schedulerName) errors.push(field.required(`${path}.schedulerName`));
  else if (spec.schedulerName !== "default-scheduler") {
    checkMessages(errors, `${path}.schedulerName`, spec.schedulerName, isQualifiedName(spec.schedulerName));
  }
  if (spec.hostname) checkMessages(errors, `${path}.hostname`, spec.hostname, isDns1123Label(spec.hostname));
  if (spec.subdomain) checkMessages(errors, `${path}.subdomain`, spec.subdomain, isDns1123Label(spec.subdomain));
  spec.readinessGates?.forEach(({ conditionType }, i) => {
    checkMessages(errors, `${path}.readinessGates[${i}].conditionType`, conditionType, isQualifiedName(conditionType));
  });
  if (spec.schedulingGroup !== undefined)
    checkRequiredName(errors, `${path}.schedulingGroup.podGroupName`, spec.schedulingGroup.podGroupName, isDns1123Subdomain);
  spec.schedulingGates?.forEach(({ name }, i) => {
    checkMessages(errors, `${path}.schedulingGates[${i}].name`, name, isQualifiedName(name));
    if (spec.schedulingGates?.some((gate, j) => j < i && gate.name === name)) {
      errors.push(field.duplicate(`${path}.schedulingGates[${i}].name`, name));
    }
  });
  if (spec.resourceClaims)
    checkUniqueNames(
      errors,
      `${path}.resourceClaims`,
      spec.resourceClaims.map(({ name }) => name),
    );
}

function validateHostNamespaces(errors: FieldError[], path: string, spec: PodSpec): void {
  if (spec.shareProcessNamespace && spec.hostPID) {
    errors.push(field.invalid(`${path}.shareProcessNamespace`, true, "ShareProcessNamespace and HostPID cannot both be enabled"));
  }
  if (spec.hostUsers !== false) return;
  for (const name of ["hostNetwork", "hostPID", "hostIPC"] as const) {
    if (spec[name]) errors.push(field.forbidden(`${path}.${name}`, "when `pod.Spec.HostUsers` is false"));
  }
}

function validateDns(errors: FieldError[], path: string, spec: PodSpec): void {
  spec.hostAliases?.forEach(({ ip, hostnames }, i) => {
    checkMessages(errors, `${path}.hostAliases[${i}].ip`, ip, isValidIp(ip));
    for (const name of hostnames ?? []) checkMessages(errors, `${path}.hostAliases[${i}].hostnames`, name, isDns1123Subdomain(name));
  });
  const { dnsConfig, dnsPolicy } = spec;
  if (dnsPolicy === "None" && !dnsConfig) {
    return void errors.push(field.required(`${path}.dnsConfig`, "must provide `dnsConfig` when `dnsPolicy` is None"));
  }
  if (!dnsConfig) return;
  const { nameservers = [], searches = [] } = dnsConfig;
  if (dnsPolicy === "None" && nameservers.length === 0) {
    errors.push(field.required(`${path}.dnsConfig.nameservers`, "must provide at least one DNS nameserver when `dnsPolicy` is None"));
  }
  if (nameservers.length > 3) {
    errors.push(field.invalid(`${path}.dnsConfig.nameservers`, nameservers, "must not have more than 3 nameservers"));
  }
  nameservers.forEach((server, i) => {
    checkMessages(errors, `${path}.dnsConfig.nameservers[${i}]`, server, isValidIp(server));
  });
  if (searches.length > 32) errors.push(field.invalid(`${path}.dnsConfig.searches`, searches, "must not have more than 32 search paths"));
  dnsConfig.options?.forEach(({ name }, i) => {
    if (!name) errors.push(field.required(`${path}.dnsConfig.options[${i}]`, "must not be empty"));
  });
}

export function validatePodTemplate(errors: FieldError[], path: string, template: PodTemplateSpec): void {
  errors.push(...validateLabels(template.metadata?.labels, `${path}.labels`));
  errors.push(...validateAnnotations(template.metadata?.annotations, `${path}.annotations`));
  validatePodSpec(errors, `${path}.spec`, template.spec);
  if (template.spec?.ephemeralContainers?.length) {
    errors.push(field.forbidden(`${path}.spec.ephemeralContainers`, "ephemeral containers not allowed in pod template"));
  }
}
