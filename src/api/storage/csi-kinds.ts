// The small CSI kinds: CSINode, CSIStorageCapacity, VolumeAttributesClass.
import { type FieldError, field } from "../../machinery/index.ts";
import { ageColumn, column, integerColumn, nameColumn } from "../printing/columns.ts";
import type { KindStrategy } from "../strategy.ts";
import type { CSINode, CSIStorageCapacity, VolumeAttributesClass } from "../types/storage/v1.ts";
import { checkImmutable } from "../validation/checks.ts";
import { semanticEqual } from "../validation/equal.ts";

export const csiNodeStrategy: KindStrategy<CSINode> = {
  validate({ spec }) {
    const errors: FieldError[] = [];
    const names = new Set<string>();
    spec.drivers?.forEach(({ name, nodeID }, i) => {
      const path = `spec.drivers[${i}]`;
      if (!name) errors.push(field.required(`${path}.name`));
      if (!nodeID) errors.push(field.required(`${path}.nodeID`));
      if (names.has(name)) errors.push(field.duplicate(`${path}.name`, name));
      names.add(name);
    });
    return errors;
  },
  columns: [nameColumn, integerColumn("Drivers", ({ spec }) => spec.drivers?.length ?? 0), ageColumn],
};

export const csiStorageCapacityStrategy: KindStrategy<CSIStorageCapacity> = {
  validate: ({ storageClassName }) => (storageClassName ? [] : [field.required("storageClassName")]),
  validateUpdate(capacity, old) {
    const errors: FieldError[] = [];
    checkImmutable(errors, "nodeTopology", capacity.nodeTopology, old.nodeTopology);
    checkImmutable(errors, "storageClassName", capacity.storageClassName, old.storageClassName);
    return errors;
  },
  columns: [
    nameColumn,
    column("StorageClassName", ({ storageClassName }) => storageClassName),
    column("Capacity", ({ capacity }) => capacity ?? "<unset>"),
    ageColumn,
  ],
};

export const volumeAttributesClassStrategy: KindStrategy<VolumeAttributesClass> = {
  validate: ({ driverName }) => (driverName ? [] : [field.required("driverName")]),
  validateUpdate(attributes, old) {
    const errors: FieldError[] = [];
    if (attributes.driverName !== old.driverName) errors.push(field.forbidden("driverName", "updates to driverName are forbidden."));
    if (!semanticEqual(attributes.parameters, old.parameters)) {
      errors.push(field.forbidden("parameters", "updates to parameters are forbidden."));
    }
    return errors;
  },
  columns: [nameColumn, column("DriverName", ({ driverName }) => driverName), ageColumn],
};
