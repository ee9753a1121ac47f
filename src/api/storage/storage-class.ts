// StorageClass: defaults, immutability, columns.
import { type FieldError, field, isQualifiedName } from "../../machinery/index.ts";
import { ageColumn, column, nameColumn } from "../printing/columns.ts";
import type { KindStrategy } from "../strategy.ts";
import type { StorageClass } from "../types/storage/v1.ts";
import { checkOneOf, checkRequiredName } from "../validation/checks.ts";
import { semanticEqual } from "../validation/equal.ts";

const defaultKeys = ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"];
const qualifiedLowercase = (text: string): string[] => isQualifiedName(text.toLowerCase());

export const storageClassStrategy: KindStrategy<StorageClass> = {
  applyDefaults(storageClass) {
    storageClass.reclaimPolicy ??= "Delete";
    storageClass.volumeBindingMode ??= "Immediate";
  },
  validate(storageClass) {
    const errors: FieldError[] = [];
    checkRequiredName(errors, "provisioner", storageClass.provisioner, qualifiedLowercase);
    checkOneOf(errors, "reclaimPolicy", storageClass.reclaimPolicy, ["Delete", "Retain"]);
    checkOneOf(errors, "volumeBindingMode", storageClass.volumeBindingMode, ["Immediate", "WaitForFirstConsumer"]);
    return errors;
  },
  validateUpdate(storageClass, old) {
    const errors: FieldError[] = [];
    if (!semanticEqual(storageClass.parameters, old.parameters)) {
      errors.push(field.forbidden("parameters", "updates to parameters are forbidden."));
    }
    if (storageClass.provisioner !== old.provisioner) {
      errors.push(field.forbidden("provisioner", "updates to provisioner are forbidden."));
    }
    if (storageClass.reclaimPolicy !== old.reclaimPolicy) {
      errors.push(field.forbidden("reclaimPolicy", "updates to reclaimPolicy are forbidden."));
    }
    if (storageClass.volumeBindingMode !== old.volumeBindingMode) {
      errors.push(field.invalid("volumeBindingMode", storageClass.volumeBindingMode, "field is immutable"));
    }
    return errors;
  },
  columns: [
    {
      ...nameColumn,
      cell({ metadata }) {
        const isDefault = defaultKeys.some((key) => metadata.annotations?.[key] === "true");
        return isDefault ? `${metadata.name} (default)` : (metadata.name ?? "");
      },
    },
    column("Provisioner", ({ provisioner }) => provisioner),
    column("ReclaimPolicy", ({ reclaimPolicy }) => reclaimPolicy ?? "Delete"),
    column("VolumeBindingMode", ({ volumeBindingMode }) => volumeBindingMode ?? "Immediate"),
    column("AllowVolumeExpansion", ({ allowVolumeExpansion }) => allowVolumeExpansion ?? false),
    ageColumn,
  ],
};
