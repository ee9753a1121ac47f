// ReplicaSet: defaults, validation, columns, scale.
import { type FieldError, field } from "../../machinery/index.ts";
import { applyPodTemplateDefaults } from "../core/pod-spec/defaults.ts";
import { ageColumn, containerColumns, integerColumn, nameColumn, wideColumn } from "../printing/columns.ts";
import type { KindStrategy } from "../strategy.ts";
import type { ReplicaSet } from "../types/apps/v1.ts";
import { checkImmutable, checkNotNegative } from "../validation/checks.ts";
import { keepSpec, keepStatus } from "../validation/prepare.ts";
import { validateReplicaStatus } from "./replica-status.ts";
import { scaleSelectorText, selectorText, validateWorkload } from "./workload.ts";

function validate({ spec }: ReplicaSet): FieldError[] {
  if (!spec) return [field.required("spec.selector"), field.required("spec.template")];
  const errors: FieldError[] = [];
  checkNotNegative(errors, "spec.replicas", spec.replicas);
  checkNotNegative(errors, "spec.minReadySeconds", spec.minReadySeconds);
  validateWorkload(errors, { selector: spec.selector, template: spec.template, kind: "replicaset", kindTitle: "ReplicaSet" });
  return errors;
}

export const replicaSetStrategy: KindStrategy<ReplicaSet> = {
  applyDefaults({ spec }) {
    if (!spec) return;
    spec.replicas ??= 1;
    applyPodTemplateDefaults(spec.template);
  },
  prepareForCreate(set) {
    set.status = { replicas: 0 };
  },
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: keepSpec,
  validate,
  validateUpdate(set, old) {
    const errors: FieldError[] = [];
    checkImmutable(errors, "spec.selector", set.spec?.selector, old.spec?.selector);
    return errors;
  },
  validateStatusUpdate: ({ status }) => validateReplicaStatus(status),
  hasGeneration: true,
  selectableFields: { "status.replicas": ({ status }) => String(status?.replicas ?? 0) },
  scale: {
    specReplicas: ({ spec }) => spec?.replicas ?? 0,
    statusReplicas: ({ status }) => status?.replicas ?? 0,
    selector: ({ spec }) => scaleSelectorText(spec?.selector),
    setSpecReplicas({ spec }, replicas) {
      if (spec) spec.replicas = replicas;
    },
  },
  columns: [
    nameColumn,
    integerColumn("Desired", ({ spec }) => spec?.replicas ?? 0),
    integerColumn("Current", ({ status }) => status?.replicas ?? 0),
    integerColumn("Ready", ({ status }) => status?.readyReplicas ?? 0),
    ageColumn,
    ...containerColumns<ReplicaSet>(({ spec }) => spec?.template?.spec?.containers),
    wideColumn("Selector", ({ spec }) => selectorText(spec?.selector)),
  ],
};
