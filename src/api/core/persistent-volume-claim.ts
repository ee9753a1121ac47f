// PersistentVolumeClaim: defaults, validation, columns.
import { type FieldError, field, quantityMilli, validateLabelSelector } from "../../machinery/index.ts";
import { ageColumn, column, nameColumn, wideColumn } from "../printing/columns.ts";
import type { KindStrategy } from "../strategy.ts";
import type { PersistentVolumeClaim, PersistentVolumeClaimSpec } from "../types/core/v1.ts";
import { checkOneOf, checkSubdomain } from "../validation/checks.ts";
import { semanticEqual } from "../validation/equal.ts";
import { keepSpec, keepStatus } from "../validation/prepare.ts";
import { accessModesText, validateAccessModes } from "./access-modes.ts";

const changeable = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";

/** Also used for the claim templates of StatefulSets and of ephemeral volumes. */
export function applyClaimSpecDefaults(spec: PersistentVolumeClaimSpec | undefined): void {
  if (!spec) return;
  spec.volumeMode ??= "Filesystem";
  spec.resources ??= {};
}

export function validateClaimSpec(errors: FieldError[], path: string, spec: PersistentVolumeClaimSpec): void {
  if (!spec.accessModes?.length) errors.push(field.required(`${path}.accessModes`, "at least 1 access mode is required"));
  if (spec.selector) errors.push(...validateLabelSelector(spec.selector, `${path}.selector`));
  validateAccessModes(errors, `${path}.accessModes`, spec.accessModes);
  const storage = spec.resources?.requests?.["storage"];
  if (storage === undefined) errors.push(field.required(`${path}.resources[storage]`));
  else if (quantityMilli(storage) <= 0) errors.push(field.invalid(`${path}.resources[storage]`, storage, "must be greater than zero"));
  checkSubdomain(errors, `${path}.storageClassName`, spec.storageClassName);
  checkOneOf(errors, `${path}.volumeMode`, spec.volumeMode, ["Block", "Filesystem"]);
}

function validateUpdate({ spec, status }: PersistentVolumeClaim, { spec: old, status: oldStatus }: PersistentVolumeClaim): FieldError[] {
  const errors: FieldError[] = [];
  if (!spec || !old) return errors;
  const isUnbound = !old.volumeName;
  const comparable: PersistentVolumeClaimSpec = {
    ...spec,
    volumeName: isUnbound ? old.volumeName : spec.volumeName,
    // The default class may come later, to a claim that named none.
    storageClassName: isUnbound && old.storageClassName === undefined ? undefined : spec.storageClassName,
    resources: isUnbound || oldStatus?.phase !== "Bound" ? spec.resources : old.resources,
    volumeAttributesClassName: old.volumeAttributesClassName,
  };
  if (!semanticEqual(comparable, old)) errors.push(field.forbidden("spec", changeable));
  const now = spec.resources?.requests?.["storage"];
  const before = old.resources?.requests?.["storage"];
  const floor = status?.capacity?.["storage"] ?? before;
  if (
    now !== undefined &&
    before !== undefined &&
    floor !== undefined &&
    quantityMilli(now) < Math.min(quantityMilli(before), quantityMilli(floor))
  ) {
    errors.push(field.forbidden("spec.resources.requests.storage", "field can not be less than status.capacity"));
  }
  return errors;
}

export const persistentVolumeClaimStrategy: KindStrategy<PersistentVolumeClaim> = {
  applyDefaults(claim) {
    const { spec } = claim;
    applyClaimSpecDefaults(spec);
    // Two forms of one reference.
    if (spec?.dataSource && !spec.dataSourceRef) spec.dataSourceRef = { ...spec.dataSource };
    else if (spec?.dataSourceRef && !spec.dataSource && !spec.dataSourceRef.namespace) {
      const { apiGroup, kind, name } = spec.dataSourceRef;
      spec.dataSource = { apiGroup, kind, name };
    }
  },
  prepareForCreate(claim) {
    claim.status = { phase: "Pending" };
  },
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: keepSpec,
  validate({ spec = {} }) {
    const errors: FieldError[] = [];
    validateClaimSpec(errors, "spec", spec);
    return errors;
  },
  validateUpdate,
  columns: [
    nameColumn,
    column("Status", ({ metadata, status }) => (metadata.deletionTimestamp ? "Terminating" : (status?.phase ?? ""))),
    column("Volume", ({ spec }) => spec?.volumeName ?? ""),
    column("Capacity", ({ spec, status }) => (spec?.volumeName ? (status?.capacity?.["storage"] ?? "0") : "")),
    column("Access Modes", ({ spec, status }) => (spec?.volumeName ? accessModesText(status?.accessModes) : "")),
    column("StorageClass", ({ spec }) => spec?.storageClassName ?? ""),
    column("VolumeAttributesClass", ({ spec }) => spec?.volumeAttributesClassName || "<unset>"),
    ageColumn,
    wideColumn("VolumeMode", ({ spec }) => spec?.volumeMode ?? "<unset>"),
  ],
};
