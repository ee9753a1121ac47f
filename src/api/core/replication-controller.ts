// ReplicationController: ReplicaSet's predecessor, with a plain set of labels as selector.
import { type FieldError, field } from "../../machinery/index.ts";
import { validateReplicaStatus } from "../apps/replica-status.ts";
import { validateWorkload } from "../apps/workload.ts";
import { ageColumn, containerColumns, formatLabels, integerColumn, nameColumn, wideColumn } from "../printing/columns.ts";
import type { KindStrategy } from "../strategy.ts";
import type { ReplicationController } from "../types/core/v1.ts";
import { checkNotNegative } from "../validation/checks.ts";
import { keepSpec, keepStatus } from "../validation/prepare.ts";
import { applyPodTemplateDefaults } from "./pod-spec/defaults.ts";

function validate({ spec = {} }: ReplicationController): FieldError[] {
  const errors: FieldError[] = [];
  checkNotNegative(errors, "spec.minReadySeconds", spec.minReadySeconds);
  checkNotNegative(errors, "spec.replicas", spec.replicas);
  const { selector = {}, template } = spec;
  if (Object.keys(selector).length === 0) errors.push(field.required("spec.selector"));
  const matchLabels = Object.keys(selector).length === 0 ? { ...template?.metadata?.labels } : selector;
  if (Object.keys(matchLabels).length === 0) return errors;
  validateWorkload(errors, { selector: { matchLabels }, template, kind: "replicationcontroller", kindTitle: "ReplicationController" });
  return errors;
}

export const replicationControllerStrategy: KindStrategy<ReplicationController> = {
  applyDefaults({ metadata, spec }) {
    if (!spec) return;
    const labels = spec.template?.metadata?.labels;
    if (labels && Object.keys(spec.selector ?? {}).length === 0) spec.selector = { ...labels };
    if (labels && Object.keys(metadata.labels ?? {}).length === 0) metadata.labels = { ...labels };
    spec.replicas ??= 1;
    applyPodTemplateDefaults(spec.template);
  },
  prepareForCreate(controller) {
    controller.status = { replicas: 0 };
  },
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: keepSpec,
  validate,
  validateStatusUpdate: ({ status }) => validateReplicaStatus(status),
  hasGeneration: true,
  selectableFields: { "status.replicas": ({ status }) => String(status?.replicas ?? 0) },
  scale: {
    specReplicas: ({ spec }) => spec?.replicas ?? 0,
    statusReplicas: ({ status }) => status?.replicas ?? 0,
    selector: ({ spec }) => (spec?.selector === undefined ? "" : formatLabels(spec.selector)),
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
    ...containerColumns<ReplicationController>(({ spec }) => spec?.template?.spec?.containers),
    wideColumn("Selector", ({ spec }) => formatLabels(spec?.selector)),
  ],
};
