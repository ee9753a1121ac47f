// CSIDriver: defaults, columns.
import { type FieldError, field } from "../../machinery/index.ts";
import { ageColumn, column, listOrNone, nameColumn } from "../printing/columns.ts";
import type { KindStrategy } from "../strategy.ts";
import type { CSIDriver } from "../types/storage/v1.ts";
import { checkImmutable, checkOneOf } from "../validation/checks.ts";

export const csiDriverStrategy: KindStrategy<CSIDriver> = {
  applyDefaults({ spec }) {
    if (!spec) return;
    spec.attachRequired ??= true;
    spec.podInfoOnMount ??= false;
    spec.storageCapacity ??= false;
    spec.fsGroupPolicy ??= "ReadWriteOnceWithFSType";
    spec.requiresRepublish ??= false;
    spec.seLinuxMount ??= false;
    if (!spec.volumeLifecycleModes?.length) spec.volumeLifecycleModes = ["Persistent"];
  },
  validate({ metadata, spec }) {
    const errors: FieldError[] = [];
    if ((metadata.name ?? "").length > 63) errors.push(field.tooLong("metadata.name", 63));
    checkOneOf(errors, "spec.fsGroupPolicy", spec.fsGroupPolicy, ["File", "None", "ReadWriteOnceWithFSType"]);
    for (const mode of spec.volumeLifecycleModes ?? []) {
      checkOneOf(errors, "spec.volumeLifecycleModes", mode, ["Ephemeral", "Persistent"]);
    }
    return errors;
  },
  validateUpdate({ spec }, { spec: old }) {
    const errors: FieldError[] = [];
    checkImmutable(errors, "spec.attachRequired", spec.attachRequired, old.attachRequired);
    checkImmutable(errors, "spec.volumeLifecycleModes", spec.volumeLifecycleModes, old.volumeLifecycleModes);
    return errors;
  },
  hasGeneration: true,
  columns: [
    nameColumn,
    column("AttachRequired", ({ spec }) => spec.attachRequired ?? true),
    column("PodInfoOnMount", ({ spec }) => spec.podInfoOnMount ?? false),
    column("StorageCapacity", ({ spec }) => spec.storageCapacity ?? false),
    column("TokenRequests", ({ spec }) =>
      spec.tokenRequests?.length ? spec.tokenRequests.map(({ audience }) => audience).join(",") : "<unset>",
    ),
    column("RequiresRepublish", ({ spec }) => spec.requiresRepublish ?? false),
    column("Modes", ({ spec }) => listOrNone(spec.volumeLifecycleModes)),
    ageColumn,
  ],
};
