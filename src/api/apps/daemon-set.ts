// DaemonSet: defaults, validation, columns.
import { type FieldError, field } from "../../machinery/index.ts";
import { applyPodTemplateDefaults } from "../core/pod-spec/defaults.ts";
import { ageColumn, column, containerColumns, formatLabels, integerColumn, nameColumn, wideColumn } from "../printing/columns.ts";
import type { KindStrategy } from "../strategy.ts";
import type { DaemonSet, DaemonSetUpdateStrategy } from "../types/apps/v1.ts";
import {
  checkAtMostHundredPercent,
  checkImmutable,
  checkNotNegative,
  checkNotNegativeIntOrPercent,
  isZeroIntOrPercent,
} from "../validation/checks.ts";
import { semanticEqual } from "../validation/equal.ts";
import { keepSpec, keepStatus } from "../validation/prepare.ts";
import { selectorText, validateWorkload } from "./workload.ts";

function validateUpdateStrategy(errors: FieldError[], { type, rollingUpdate }: DaemonSetUpdateStrategy): void {
  const path = "spec.updateStrategy";
  if (type === "OnDelete") return;
  if (type !== "RollingUpdate") return void errors.push(field.notSupported(`${path}.type`, type, ["OnDelete", "RollingUpdate"]));
  if (!rollingUpdate) return void errors.push(field.required(`${path}.rollingUpdate`));
  const { maxSurge, maxUnavailable } = rollingUpdate;
  checkNotNegativeIntOrPercent(errors, `${path}.rollingUpdate.maxUnavailable`, maxUnavailable);
  checkAtMostHundredPercent(errors, `${path}.rollingUpdate.maxUnavailable`, maxUnavailable);
  checkNotNegativeIntOrPercent(errors, `${path}.rollingUpdate.maxSurge`, maxSurge);
  checkAtMostHundredPercent(errors, `${path}.rollingUpdate.maxSurge`, maxSurge);
  const hasUnavailable = !isZeroIntOrPercent(maxUnavailable);
  const hasSurge = !isZeroIntOrPercent(maxSurge);
  if (hasUnavailable && hasSurge) {
    errors.push(field.invalid(`${path}.rollingUpdate.maxSurge`, maxSurge, "may not be set when maxUnavailable is non-zero"));
  }
  if (!hasUnavailable && !hasSurge) {
    errors.push(field.required(`${path}.rollingUpdate.maxUnavailable`, "cannot be 0 when maxSurge is 0"));
  }
}

function validate({ spec }: DaemonSet): FieldError[] {
  if (!spec) return [field.required("spec.selector"), field.required("spec.template")];
  const errors: FieldError[] = [];
  validateWorkload(errors, { selector: spec.selector, template: spec.template, kind: "daemonset", kindTitle: "DaemonSet" });
  checkNotNegative(errors, "spec.minReadySeconds", spec.minReadySeconds);
  validateUpdateStrategy(errors, spec.updateStrategy ?? {});
  checkNotNegative(errors, "spec.revisionHistoryLimit", spec.revisionHistoryLimit);
  return errors;
}

const TEMPLATE_GENERATION = "deprecated.daemonset.template.generation";

function templateGeneration({ metadata }: DaemonSet): number {
  return Number.parseInt(metadata.annotations?.[TEMPLATE_GENERATION] ?? "", 10) || 0;
}

/** The server counts the templates a set has had; pods are labelled with the number. */
function setTemplateGeneration({ metadata }: DaemonSet, generation: number): void {
  metadata.annotations = { ...metadata.annotations, [TEMPLATE_GENERATION]: String(generation) };
}

export const daemonSetStrategy: KindStrategy<DaemonSet> = {
  applyDefaults({ spec }) {
    if (!spec) return;
    spec.updateStrategy ??= {};
    spec.updateStrategy.type ||= "RollingUpdate";
    if (spec.updateStrategy.type === "RollingUpdate") {
      spec.updateStrategy.rollingUpdate ??= {};
      spec.updateStrategy.rollingUpdate.maxUnavailable ??= 1;
      spec.updateStrategy.rollingUpdate.maxSurge ??= 0;
    }
    spec.revisionHistoryLimit ??= 10;
    applyPodTemplateDefaults(spec.template);
  },
  prepareForCreate(set) {
    set.status = { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 };
    setTemplateGeneration(set, Math.max(1, templateGeneration(set)));
  },
  prepareForUpdate(set, old) {
    keepStatus(set, old);
    const isSame = semanticEqual(set.spec?.template, old.spec?.template);
    setTemplateGeneration(set, templateGeneration(old) + (isSame ? 0 : 1));
  },
  prepareForStatusUpdate: keepSpec,
  validate,
  validateUpdate(set, old) {
    const errors: FieldError[] = [];
    checkImmutable(errors, "spec.selector", set.spec?.selector, old.spec?.selector);
    return errors;
  },
  hasGeneration: true,
  columns: [
    nameColumn,
    integerColumn("Desired", ({ status }) => status?.desiredNumberScheduled ?? 0),
    integerColumn("Current", ({ status }) => status?.currentNumberScheduled ?? 0),
    integerColumn("Ready", ({ status }) => status?.numberReady ?? 0),
    integerColumn("Up-to-date", ({ status }) => status?.updatedNumberScheduled ?? 0),
    integerColumn("Available", ({ status }) => status?.numberAvailable ?? 0),
    column("Node Selector", ({ spec }) => formatLabels(spec?.template.spec?.nodeSelector)),
    ageColumn,
    ...containerColumns<DaemonSet>(({ spec }) => spec?.template.spec?.containers),
    wideColumn("Selector", ({ spec }) => selectorText(spec?.selector)),
  ],
};
