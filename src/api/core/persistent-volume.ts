// PersistentVolume: defaults, validation, columns.
import { type FieldError, field, quantityMilli } from "../../machinery/index.ts";
import { ageColumn, column, nameColumn, wideColumn } from "../printing/columns.ts";
import type { KindStrategy } from "../strategy.ts";
import type { PersistentVolume, PersistentVolumeSpec } from "../types/core/v1.ts";
import { checkImmutable, checkOneOf } from "../validation/checks.ts";
import { semanticEqual } from "../validation/equal.ts";
import { keepSpec, keepStatus } from "../validation/prepare.ts";
import { accessModesText, validateAccessModes } from "./access-modes.ts";
import { validateNodeSelector } from "./pod-spec/validate-scheduling.ts";
import { applySharedSourceDefaults } from "./pod-spec/volume-defaults.ts";

/** The members of the specification that are not a volume source. */
const otherFields = new Set([
  "accessModes",
  "capacity",
  "claimRef",
  "mountOptions",
  "nodeAffinity",
  "persistentVolumeReclaimPolicy",
  "storageClassName",
  "volumeAttributesClassName",
  "volumeMode",
]);

function sourceOf(spec: PersistentVolumeSpec): Record<string, unknown> {
  return Object.fromEntries(Object.entries(spec).filter(([key, value]) => value !== undefined && !otherFields.has(key)));
}

function validate({ spec = {} }: PersistentVolume): FieldError[] {
  const errors: FieldError[] = [];
  if (!spec.accessModes?.length) errors.push(field.required("spec.accessModes"));
  validateAccessModes(errors, "spec.accessModes", spec.accessModes);
  const { storage, ...others } = spec.capacity ?? {};
  if (Object.keys(spec.capacity ?? {}).length === 0) errors.push(field.required("spec.capacity"));
  if (storage === undefined || Object.keys(others).length > 0) {
    errors.push(field.notSupported("spec.capacity", spec.capacity, ["storage"]));
  } else if (quantityMilli(storage) <= 0) errors.push(field.invalid("spec.capacity[storage]", storage, "must be greater than zero"));
  checkOneOf(errors, "spec.persistentVolumeReclaimPolicy", spec.persistentVolumeReclaimPolicy, ["Delete", "Recycle", "Retain"]);
  checkOneOf(errors, "spec.volumeMode", spec.volumeMode, ["Block", "Filesystem"]);
  const sources = Object.keys(sourceOf(spec));
  if (sources.length === 0) errors.push(field.required("spec", "must specify a volume type"));
  for (const name of sources.slice(1)) errors.push(field.forbidden(`spec.${name}`, "may not specify more than 1 volume type"));
  if (spec.local && !spec.nodeAffinity) errors.push(field.required("spec.nodeAffinity", "Local volume requires node affinity"));
  if (spec.hostPath && !spec.hostPath.path) errors.push(field.required("spec.hostPath.path"));
  if (spec.local && !spec.local.path) errors.push(field.required("spec.local.path"));
  const required = spec.nodeAffinity?.required;
  if (required) validateNodeSelector(errors, "spec.nodeAffinity.required", required);
  return errors;
}

function validateUpdate({ spec = {} }: PersistentVolume, { spec: old = {} }: PersistentVolume): FieldError[] {
  const errors: FieldError[] = [];
  if (!semanticEqual(sourceOf(spec), sourceOf(old))) {
    errors.push(field.forbidden("spec.persistentvolumesource", "spec.persistentvolumesource is immutable after creation"));
  }
  checkImmutable(errors, "spec.volumeMode", spec.volumeMode, old.volumeMode);
  if (old.nodeAffinity) checkImmutable(errors, "spec.nodeAffinity", spec.nodeAffinity, old.nodeAffinity);
  return errors;
}

function claimCell({ spec }: PersistentVolume): string {
  return spec?.claimRef ? `${spec.claimRef.namespace}/${spec.claimRef.name}` : "";
}

const storageClassAnnotation = "volume.beta.kubernetes.io/storage-class";

export const persistentVolumeStrategy: KindStrategy<PersistentVolume> = {
  applyDefaults({ spec }) {
    if (!spec) return;
    spec.persistentVolumeReclaimPolicy ||= "Retain";
    spec.volumeMode ??= "Filesystem";
    if (spec.hostPath) spec.hostPath.type ??= "";
    applySharedSourceDefaults(spec);
  },
  prepareForCreate(volume, { clock }) {
    volume.status = { phase: "Pending", lastPhaseTransitionTime: new Date(clock.now()).toISOString().replace(/\.\d+Z$/, "Z") };
  },
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate(volume, old, { clock }) {
    keepSpec(volume, old);
    if (!volume.status || volume.status.phase === old.status?.phase) return;
    volume.status.lastPhaseTransitionTime = new Date(clock.now()).toISOString().replace(/\.\d+Z$/, "Z");
  },
  validate,
  validateUpdate,
  columns: [
    nameColumn,
    column("Capacity", ({ spec }) => spec?.capacity?.["storage"] ?? ""),
    column("Access Modes", ({ spec }) => accessModesText(spec?.accessModes)),
    column("Reclaim Policy", ({ spec }) => spec?.persistentVolumeReclaimPolicy ?? ""),
    column("Status", ({ metadata, status }) => (metadata.deletionTimestamp ? "Terminating" : (status?.phase ?? ""))),
    column("Claim", claimCell),
    column("StorageClass", ({ metadata, spec }) => metadata.annotations?.[storageClassAnnotation] ?? spec?.storageClassName ?? ""),
    column("VolumeAttributesClass", ({ spec }) => spec?.volumeAttributesClassName || "<unset>"),
    column("Reason", ({ status }) => status?.reason ?? ""),
    ageColumn,
    wideColumn("VolumeMode", ({ spec }) => spec?.volumeMode ?? "<unset>"),
  ],
};
