// Validation of a pod's containers, init containers and ephemeral containers.
import { type FieldError, field, isDns1123Label, isIanaServiceName } from "../../../machinery/index.ts";
import type { Container, ContainerPort, EphemeralContainer, PodSpec, Volume } from "../../types/core/v1.ts";
import { checkMessages, checkOneOf, checkPortNumber, checkRequiredName, checkRequiredOneOf } from "../../validation/checks.ts";
import { validateStopSignal } from "./stop-signals.ts";
import { validateEnv } from "./validate-env.ts";
import { validateProbesAndHooks } from "./validate-probes.ts";
import { validateResources } from "./validate-resources.ts";
import { validateSecurityContext } from "./validate-security.ts";
import { validateMounts } from "./validate-volumes.ts";

const pullPolicies = ["Always", "IfNotPresent", "Never"];
const protocols = ["SCTP", "TCP", "UDP"];
const messagePolicies = ["FallbackToLogsOnError", "File"];
const restartPolicies = ["Always", "Never", "OnFailure"];

/** What the containers of one pod share while they are checked. */
interface ContainerScope {
  readonly spec: PodSpec;
  readonly volumes: ReadonlyMap<string, Volume>;
  /** Names taken so far; unique over all containers of the pod. */
  readonly names: Set<string>;
}

export function validateContainers(errors: FieldError[], path: string, spec: PodSpec, volumes: ReadonlyMap<string, Volume>): void {
  const scope: ContainerScope = { spec, volumes, names: new Set() };
  const { containers, initContainers, ephemeralContainers } = spec;
  if (!containers?.length) errors.push(field.required(`${path}.containers`));
  validateList(errors, `${path}.containers`, containers, scope);
  if (initContainers) {
    validateList(errors, `${path}.initContainers`, initContainers, scope);
    for (let i = 0; i < initContainers.length; i++) {
      const container = initContainers[i];
      if (container && container.restartPolicy !== "Always") checkPlainInitContainer(errors, `${path}.initContainers[${i}]`, container);
    }
  }
  if (ephemeralContainers) {
    validateList(errors, `${path}.ephemeralContainers`, ephemeralContainers, scope);
    ephemeralContainers.forEach((container, i) => {
      checkEphemeralContainer(errors, `${path}.ephemeralContainers[${i}]`, container, spec);
    });
  }
}

function validateList(errors: FieldError[], path: string, containers: readonly Container[] | undefined, scope: ContainerScope): void {
  let hostPorts: Set<string> | undefined;
  for (let i = 0; i < (containers?.length ?? 0); i++) {
    const container = containers?.[i];
    if (!container) continue;
    const itemPath = `${path}[${i}]`;
    validateContainer(errors, itemPath, container, scope);
    if (!container.ports) continue;
    for (let j = 0; j < container.ports.length; j++) {
      const port = container.ports[j];
      if (!port?.hostPort) continue;
      hostPorts ??= new Set();
      const key = `${port.protocol}/${port.hostIP ?? ""}/${port.hostPort}`;
      if (hostPorts.has(key)) errors.push(field.duplicate(`${itemPath}.ports[${j}].hostPort`, key));
      hostPorts.add(key);
    }
  }
}

function validateContainer(errors: FieldError[], path: string, container: Container, { spec, volumes, names }: ContainerScope): void {
  const { name, image = "" } = container;
  if (!name) errors.push(field.required(`${path}.name`));
  else {
    checkMessages(errors, `${path}.name`, name, isDns1123Label(name));
    if (names.has(name)) errors.push(field.duplicate(`${path}.name`, name));
    names.add(name);
  }
  if (image === "") errors.push(field.required(`${path}.image`));
  else if (image !== image.trim()) errors.push(field.invalid(`${path}.image`, image, "must not have leading or trailing whitespace"));
  checkRequiredOneOf(errors, `${path}.terminationMessagePolicy`, container.terminationMessagePolicy, messagePolicies);
  checkRequiredOneOf(errors, `${path}.imagePullPolicy`, container.imagePullPolicy, pullPolicies);
  checkOneOf(errors, `${path}.restartPolicy`, container.restartPolicy, restartPolicies);
  if (container.ports) validatePorts(errors, `${path}.ports`, container.ports, spec.hostNetwork === true);
  if (container.env || container.envFrom) validateEnv(errors, path, container);
  if (container.volumeMounts || container.volumeDevices) validateMounts(errors, path, container, volumes);
  validateProbesAndHooks(errors, path, container, spec.terminationGracePeriodSeconds ?? 30);
  if (container.lifecycle?.stopSignal)
    validateStopSignal(errors, `${path}.lifecycle.stopSignal`, container.lifecycle.stopSignal, spec.os?.name);
  validateResources(errors, `${path}.resources`, container.resources);
  validateSecurityContext(errors, `${path}.securityContext`, container.securityContext);
}

function validatePorts(errors: FieldError[], path: string, ports: readonly ContainerPort[], isHostNetwork: boolean): void {
  const names = new Set<string>();
  for (let i = 0; i < ports.length; i++) {
    const port = ports[i];
    if (!port) continue;
    const itemPath = `${path}[${i}]`;
    if (port.name) {
      const messages = isIanaServiceName(port.name);
      checkMessages(errors, `${itemPath}.name`, port.name, messages);
      if (messages.length === 0 && names.has(port.name)) errors.push(field.duplicate(`${itemPath}.name`, port.name));
      names.add(port.name);
    }
    if (!port.containerPort) errors.push(field.required(`${itemPath}.containerPort`));
    else checkPortNumber(errors, `${itemPath}.containerPort`, port.containerPort);
    if (port.hostPort) checkPortNumber(errors, `${itemPath}.hostPort`, port.hostPort);
    checkRequiredOneOf(errors, `${itemPath}.protocol`, port.protocol, protocols);
    if (isHostNetwork && port.hostPort && port.hostPort !== port.containerPort) {
      errors.push(field.invalid(`${itemPath}.hostPort`, port.hostPort, "must match `containerPort` when `hostNetwork` is true"));
    }
  }
}

/** Init containers that run to their end have no use for what watches a running container. */
function checkPlainInitContainer(errors: FieldError[], path: string, container: Container): void {
  for (const name of ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] as const) {
    if (container[name] !== undefined && !(name === "lifecycle" && isOnlyStopSignal(container))) {
      errors.push(field.forbidden(`${path}.${name}`, "may not be set for init containers without restartPolicy=Always"));
    }
  }
}

function isOnlyStopSignal({ lifecycle }: Container): boolean {
  return lifecycle !== undefined && lifecycle.postStart === undefined && lifecycle.preStop === undefined;
}

const forbiddenForEphemeral = ["ports", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "resizePolicy"] as const;

function checkEphemeralContainer(errors: FieldError[], path: string, container: EphemeralContainer, spec: PodSpec): void {
  for (const name of forbiddenForEphemeral) {
    if (container[name] !== undefined) errors.push(field.forbidden(`${path}.${name}`, "field not allowed in ephemeral containers"));
  }
  if (container.resources?.limits ?? container.resources?.requests) {
    errors.push(field.forbidden(`${path}.resources`, "field not allowed in ephemeral containers"));
  }
  container.volumeMounts?.forEach((mount, i) => {
    if (mount.subPath) errors.push(field.forbidden(`${path}.volumeMounts[${i}].subPath`, "cannot be set for an Ephemeral Container"));
    if (mount.subPathExpr) {
      errors.push(field.forbidden(`${path}.volumeMounts[${i}].subPathExpr`, "cannot be set for an Ephemeral Container"));
    }
  });
  const target = container.targetContainerName;
  if (target && ![...(spec.containers ?? []), ...(spec.initContainers ?? [])].some(({ name }) => name === target)) {
    errors.push(field.notFound(`${path}.targetContainerName`, target));
  }
}

/** Also used for the names of claims and gates. */
export function checkUniqueNames(errors: FieldError[], path: string, names: readonly (string | undefined)[]): void {
  const seen = new Set<string | undefined>();
  names.forEach((name, i) => {
    checkRequiredName(errors, `${path}[${i}].name`, name, isDns1123Label);
    if (seen.has(name)) errors.push(field.duplicate(`${path}[${i}].name`, name));
    seen.add(name);
  });
}
