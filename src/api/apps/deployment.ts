// Deployment: defaults, validation, columns, scale.
import { type FieldError, field } from "../../machinery/index.ts";
import { applyPodTemplateDefaults } from "../core/pod-spec/defaults.ts";
import { ageColumn, column, containerColumns, integerColumn, nameColumn, wideColumn } from "../printing/columns.ts";
import type { KindStrategy } from "../strategy.ts";
import type { Deployment, DeploymentStrategy } from "../types/apps/v1.ts";
import {
  checkAtMostHundredPercent,
  checkImmutable,
  checkNotNegative,
  checkNotNegativeIntOrPercent,
  isZeroIntOrPercent,
} from "../validation/checks.ts";
import { dropStatus, keepSpec, keepStatus } from "../validation/prepare.ts";
import { scaleSelectorText, selectorText, validateWorkload } from "./workload.ts";

function applyDefaults({ spec }: Deployment): void {
  if (!spec) return;
  spec.replicas ??= 1;
  spec.strategy ??= {};
  spec.strategy.type ||= "RollingUpdate";
  if (spec.strategy.type === "RollingUpdate") {
    spec.strategy.rollingUpdate ??= {};
    spec.strategy.rollingUpdate.maxUnavailable ??= "25%";
    spec.strategy.rollingUpdate.maxSurge ??= "25%";
  }
  spec.revisionHistoryLimit ??= 10;
  spec.progressDeadlineSeconds ??= 600;
  applyPodTemplateDefaults(spec.template);
}

function validateStrategy(errors: FieldError[], { type, rollingUpdate }: DeploymentStrategy): void {
  const path = "spec.strategy.rollingUpdate";
  if (type === "Recreate") {
    if (rollingUpdate !== undefined) errors.push(field.forbidden(path, "may not be specified when strategy `type` is 'Recreate'"));
  } else if (type !== "RollingUpdate") {
    errors.push(field.notSupported("spec.strategy", { type, ...(rollingUpdate && { rollingUpdate }) }, ["Recreate", "RollingUpdate"]));
  } else if (rollingUpdate === undefined) errors.push(field.required(path, "this should be defaulted and never be nil"));
  else {
    const { maxSurge, maxUnavailable } = rollingUpdate;
    checkNotNegativeIntOrPercent(errors, `${path}.maxUnavailable`, maxUnavailable);
    checkNotNegativeIntOrPercent(errors, `${path}.maxSurge`, maxSurge);
    if (isZeroIntOrPercent(maxUnavailable) && isZeroIntOrPercent(maxSurge)) {
      errors.push(field.invalid(`${path}.maxUnavailable`, maxUnavailable, "may not be 0 when `maxSurge` is 0"));
    }
    checkAtMostHundredPercent(errors, `${path}.maxUnavailable`, maxUnavailable);
  }
}

function validate({ spec }: Deployment): FieldError[] {
  if (!spec) return [field.required("spec.selector"), field.required("spec.template")];
  const errors: FieldError[] = [];
  checkNotNegative(errors, "spec.replicas", spec.replicas);
  validateWorkload(errors, { selector: spec.selector, template: spec.template, kind: "deployment", kindTitle: "ReplicaSet" });
  validateStrategy(errors, spec.strategy ?? {});
  checkNotNegative(errors, "spec.minReadySeconds", spec.minReadySeconds);
  checkNotNegative(errors, "spec.revisionHistoryLimit", spec.revisionHistoryLimit);
  const deadline = spec.progressDeadlineSeconds;
  checkNotNegative(errors, "spec.progressDeadlineSeconds", deadline);
  if (deadline !== undefined && deadline <= (spec.minReadySeconds ?? 0)) {
    errors.push(field.invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds"));
  }
  return errors;
}

function validateStatusUpdate({ status = {} }: Deployment, { status: old = {} }: Deployment): FieldError[] {
  const errors: FieldError[] = [];
  const { replicas = 0, updatedReplicas = 0, readyReplicas = 0, availableReplicas = 0 } = status;
  for (const name of [
    "observedGeneration",
    "replicas",
    "updatedReplicas",
    "readyReplicas",
    "availableReplicas",
    "unavailableReplicas",
  ] as const) {
    checkNotNegative(errors, `status.${name}`, status[name]);
  }
  const tooMany = "cannot be greater than status.replicas";
  if (updatedReplicas > replicas) errors.push(field.invalid("status.updatedReplicas", updatedReplicas, tooMany));
  if (readyReplicas > replicas) errors.push(field.invalid("status.readyReplicas", readyReplicas, tooMany));
  if (availableReplicas > replicas) errors.push(field.invalid("status.availableReplicas", availableReplicas, tooMany));
  if (availableReplicas > readyReplicas) {
    errors.push(field.invalid("status.availableReplicas", availableReplicas, "cannot be greater than readyReplicas"));
  }
  if ((status.collisionCount ?? 0) < (old.collisionCount ?? 0)) {
    errors.push(field.invalid("status.collisionCount", status.collisionCount, "cannot be decremented"));
  }
  return errors;
}

export const deploymentStrategy: KindStrategy<Deployment> = {
  applyDefaults,
  prepareForCreate: dropStatus,
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: keepSpec,
  validate,
  validateUpdate(deployment, old) {
    const errors: FieldError[] = [];
    checkImmutable(errors, "spec.selector", deployment.spec?.selector, old.spec?.selector);
    return errors;
  },
  validateStatusUpdate,
  hasGeneration: true,
  scale: {
    specReplicas: (deployment) => deployment.spec?.replicas ?? 0,
    statusReplicas: (deployment) => deployment.status?.replicas ?? 0,
    selector: (deployment) => scaleSelectorText(deployment.spec?.selector),
    setSpecReplicas(deployment, replicas) {
      if (deployment.spec) deployment.spec.replicas = replicas;
    },
  },
  columns: [
    nameColumn,
    column("Ready", ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`),
    integerColumn("Up-to-date", ({ status }) => status?.updatedReplicas ?? 0),
    integerColumn("Available", ({ status }) => status?.availableReplicas ?? 0),
    ageColumn,
    ...containerColumns<Deployment>(({ spec }) => spec?.template.spec?.containers),
    wideColumn("Selector", ({ spec }) => selectorText(spec?.selector)),
  ],
};
