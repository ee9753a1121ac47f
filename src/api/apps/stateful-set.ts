// StatefulSet: defaults, validation, columns, scale.
import { type FieldError, field } from "../../machinery/index.ts";
import { applyClaimSpecDefaults } from "../core/persistent-volume-claim.ts";
import { applyPodTemplateDefaults } from "../core/pod-spec/defaults.ts";
import { ageColumn, column, containerColumns, nameColumn } from "../printing/columns.ts";
import type { KindStrategy } from "../strategy.ts";
import type { StatefulSet, StatefulSetSpec } from "../types/apps/v1.ts";
import { checkNotNegative, checkNotNegativeIntOrPercent, checkOneOf, isZeroIntOrPercent } from "../validation/checks.ts";
import { semanticEqual } from "../validation/equal.ts";
import { keepSpec, keepStatus } from "../validation/prepare.ts";
import { validateReplicaStatus } from "./replica-status.ts";
import { scaleSelectorText, validateWorkload } from "./workload.ts";

const changeable =
  "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";

function applyDefaults({ spec }: StatefulSet): void {
  if (!spec) return;
  spec.podManagementPolicy ||= "OrderedReady";
  spec.updateStrategy ??= {};
  spec.updateStrategy.type ||= "RollingUpdate";
  if (spec.updateStrategy.type === "RollingUpdate") {
    spec.updateStrategy.rollingUpdate ??= {};
    spec.updateStrategy.rollingUpdate.partition ??= 0;
  }
  spec.persistentVolumeClaimRetentionPolicy ??= {};
  spec.persistentVolumeClaimRetentionPolicy.whenDeleted ||= "Retain";
  spec.persistentVolumeClaimRetentionPolicy.whenScaled ||= "Retain";
  spec.replicas ??= 1;
  spec.revisionHistoryLimit ??= 10;
  applyPodTemplateDefaults(spec.template);
  for (const claim of spec.volumeClaimTemplates ?? []) {
    claim.apiVersion ||= "v1";
    claim.kind ||= "PersistentVolumeClaim";
    applyClaimSpecDefaults(claim.spec);
    claim.status ??= { phase: "Pending" };
  }
}

function validateUpdateStrategy(errors: FieldError[], { updateStrategy }: StatefulSetSpec): void {
  const path = "spec.updateStrategy";
  const { type = "", rollingUpdate } = updateStrategy ?? {};
  if (type === "OnDelete" && rollingUpdate) {
    errors.push(field.invalid(`${path}.rollingUpdate`, rollingUpdate, `only allowed for updateStrategy 'RollingUpdate'`));
  } else if (type === "") errors.push(field.required(path));
  else if (type !== "OnDelete" && type !== "RollingUpdate") {
    errors.push(field.invalid(path, updateStrategy, "must be 'RollingUpdate' or 'OnDelete'"));
  }
  if (!rollingUpdate) return;
  checkNotNegative(errors, `${path}.rollingUpdate.partition`, rollingUpdate.partition);
  if (rollingUpdate.maxUnavailable === undefined) return;
  checkNotNegativeIntOrPercent(errors, `${path}.rollingUpdate.maxUnavailable`, rollingUpdate.maxUnavailable);
  if (isZeroIntOrPercent(rollingUpdate.maxUnavailable)) {
    errors.push(field.invalid(`${path}.rollingUpdate.maxUnavailable`, rollingUpdate.maxUnavailable, "cannot be 0"));
  }
}

function validate({ spec }: StatefulSet): FieldError[] {
  if (!spec) return [field.required("spec.selector"), field.required("spec.template")];
  const errors: FieldError[] = [];
  checkOneOf(errors, "spec.podManagementPolicy", spec.podManagementPolicy, ["OrderedReady", "Parallel"]);
  validateUpdateStrategy(errors, spec);
  const { whenDeleted, whenScaled } = spec.persistentVolumeClaimRetentionPolicy ?? {};
  checkOneOf(errors, "spec.persistentVolumeClaimRetentionPolicy.whenDeleted", whenDeleted, ["Delete", "Retain"]);
  checkOneOf(errors, "spec.persistentVolumeClaimRetentionPolicy.whenScaled", whenScaled, ["Delete", "Retain"]);
  checkNotNegative(errors, "spec.replicas", spec.replicas);
  checkNotNegative(errors, "spec.minReadySeconds", spec.minReadySeconds);
  checkNotNegative(errors, "spec.ordinals.start", spec.ordinals?.start);
  // The set's claims become volumes of its pods.
  const claims = (spec.volumeClaimTemplates ?? []).map(({ metadata }) => ({ name: metadata?.name ?? "", emptyDir: {} }));
  const podSpec = spec.template?.spec;
  const others = podSpec?.volumes?.filter(({ name }) => !claims.some((claim) => claim.name === name)) ?? [];
  const template = podSpec ? { ...spec.template, spec: { ...podSpec, volumes: [...others, ...claims] } } : spec.template;
  validateWorkload(errors, { selector: spec.selector, template, kind: "statefulset", kindTitle: "StatefulSet" });
  return errors;
}

function validateUpdate({ spec }: StatefulSet, { spec: old }: StatefulSet): FieldError[] {
  if (!spec || !old) return [];
  const { replicas, ordinals, template, updateStrategy, revisionHistoryLimit, persistentVolumeClaimRetentionPolicy, minReadySeconds } = old;
  const changed = {
    replicas,
    ordinals,
    template,
    updateStrategy,
    revisionHistoryLimit,
    persistentVolumeClaimRetentionPolicy,
    minReadySeconds,
  };
  return semanticEqual({ ...spec, ...changed }, old) ? [] : [field.forbidden("spec", changeable)];
}

export const statefulSetStrategy: KindStrategy<StatefulSet> = {
  applyDefaults,
  prepareForCreate(set) {
    set.status = { replicas: 0 };
  },
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: keepSpec,
  validate,
  validateUpdate,
  validateStatusUpdate: ({ status }) => validateReplicaStatus(status && { ...status, conditions: undefined }),
  warnings({ spec }) {
    if ((spec?.revisionHistoryLimit ?? 0) >= 0) return [];
    return ["spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended"];
  },
  hasGeneration: true,
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
    column("Ready", ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`),
    ageColumn,
    ...containerColumns<StatefulSet>(({ spec }) => spec?.template.spec?.containers),
  ],
};
