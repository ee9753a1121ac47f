// Validation of environment variables and of the fields they may refer to.
import { type FieldError, field, isConfigMapKey, isEnvVarName, isQualifiedName } from "../../../machinery/index.ts";
import type { Container, EnvFromSource, EnvVarSource, ObjectFieldSelector, ResourceFieldSelector } from "../../types/core/v1.ts";
import { checkMessages, checkRequiredName } from "../../validation/checks.ts";

const envFieldPaths = [
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
  "spec.nodeName",
  "spec.serviceAccountName",
  "status.hostIP",
  "status.hostIPs",
  "status.podIP",
  "status.podIPs",
];
export const volumeFieldPaths = ["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"];
const convertibleFieldPaths = new Set([...envFieldPaths, ...volumeFieldPaths, "spec.restartPolicy", "spec.schedulerName", "status.phase"]);
const containerResources = [
  "limits.cpu",
  "limits.ephemeral-storage",
  "limits.memory",
  "requests.cpu",
  "requests.ephemeral-storage",
  "requests.memory",
];
const subscriptPattern = /^(metadata\.(?:annotations|labels))\['(.*)'\]$/;

export function validateEnv(errors: FieldError[], path: string, container: Container): void {
  const { env, envFrom } = container;
  if (env) {
    for (let i = 0; i < env.length; i++) {
      const variable = env[i];
      if (!variable) continue;
      const itemPath = `${path}.env[${i}]`;
      checkRequiredName(errors, `${itemPath}.name`, variable.name, isEnvVarName);
      if (variable.valueFrom) validateValueFrom(errors, `${itemPath}.valueFrom`, variable.valueFrom, variable.value);
    }
  }
  if (envFrom) for (let i = 0; i < envFrom.length; i++) validateEnvFrom(errors, `${path}.envFrom[${i}]`, envFrom[i] ?? {});
}

function validateEnvFrom(errors: FieldError[], path: string, source: EnvFromSource): void {
  if (source.prefix) checkMessages(errors, `${path}.prefix`, source.prefix, isEnvVarName(source.prefix));
  const count = (source.configMapRef ? 1 : 0) + (source.secretRef ? 1 : 0);
  if (source.configMapRef && !source.configMapRef.name) errors.push(field.required(`${path}.configMapRef.name`));
  if (source.secretRef && !source.secretRef.name) errors.push(field.required(`${path}.secretRef.name`));
  if (count === 0) errors.push(field.invalid(path, "", "must specify one of: `configMapRef` or `secretRef`"));
  else if (count > 1) errors.push(field.invalid(path, "", "may not have more than one field specified at a time"));
}

function validateValueFrom(errors: FieldError[], path: string, source: EnvVarSource, value: string | undefined): void {
  let count = 0;
  if (source.fieldRef) {
    count++;
    validateFieldRef(errors, `${path}.fieldRef`, source.fieldRef, envFieldPaths);
  }
  if (source.resourceFieldRef) {
    count++;
    validateResourceFieldRef(errors, `${path}.resourceFieldRef`, source.resourceFieldRef);
  }
  for (const name of ["configMapKeyRef", "secretKeyRef"] as const) {
    const ref = source[name];
    if (!ref) continue;
    count++;
    if (!ref.name) errors.push(field.required(`${path}.${name}.name`));
    checkRequiredName(errors, `${path}.${name}.key`, ref.key, isConfigMapKey);
  }
  if (source.fileKeyRef) count++;
  if (count === 0) {
    const detail = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`";
    errors.push(field.invalid(path, "", detail));
  } else if (value) errors.push(field.invalid(path, "", "may not be specified when `value` is not empty"));
  else if (count > 1) errors.push(field.invalid(path, "", "may not have more than one field specified at a time"));
}

export function validateFieldRef(errors: FieldError[], path: string, ref: ObjectFieldSelector, supported: readonly string[]): void {
  const { apiVersion, fieldPath } = ref;
  const subscript = subscriptPattern.exec(fieldPath ?? "");
  if (!apiVersion) errors.push(field.required(`${path}.apiVersion`));
  else if (!fieldPath) errors.push(field.required(`${path}.fieldPath`));
  else if (subscript) checkMessages(errors, `${path}.fieldPath`, fieldPath, isQualifiedName((subscript[2] ?? "").toLowerCase()));
  else if (!convertibleFieldPaths.has(fieldPath)) {
    const detail = `error converting fieldPath: field label not supported: ${fieldPath}`;
    errors.push(field.invalid(`${path}.fieldPath`, fieldPath, detail));
  } else if (!supported.includes(fieldPath)) errors.push(field.notSupported(`${path}.fieldPath`, fieldPath, supported));
}

export function validateResourceFieldRef(errors: FieldError[], path: string, ref: ResourceFieldSelector): void {
  if (!ref.resource) errors.push(field.required(`${path}.resource`));
  else if (!containerResources.includes(ref.resource) && !/^(limits|requests)\.hugepages-/.test(ref.resource)) {
    errors.push(field.notSupported(`${path}.resource`, ref.resource, containerResources));
  }
}
