// VolumeAttachment: what is attached where never changes.
import { type FieldError, field } from "../../machinery/index.ts";
import { ageColumn, column, nameColumn } from "../printing/columns.ts";
import type { KindStrategy } from "../strategy.ts";
import type { VolumeAttachment } from "../types/storage/v1.ts";
import { checkImmutable } from "../validation/checks.ts";
import { keepSpec, keepStatus } from "../validation/prepare.ts";

export const volumeAttachmentStrategy: KindStrategy<VolumeAttachment> = {
  prepareForCreate(attachment) {
    attachment.status = { attached: false };
  },
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: keepSpec,
  validate({ spec }) {
    const errors: FieldError[] = [];
    if (!spec.attacher) errors.push(field.required("spec.attacher"));
    if (!spec.nodeName) errors.push(field.required("spec.nodeName"));
    const { inlineVolumeSpec, persistentVolumeName } = spec.source ?? {};
    if (inlineVolumeSpec === undefined && persistentVolumeName === undefined) {
      errors.push(field.required("spec.source", "must specify exactly one of inlineVolumeSpec and persistentVolumeName"));
    } else if (inlineVolumeSpec !== undefined && persistentVolumeName !== undefined) {
      errors.push(field.forbidden("spec.source", "must specify exactly one of inlineVolumeSpec and persistentVolumeName"));
    }
    return errors;
  },
  validateUpdate({ spec }, { spec: old }) {
    const errors: FieldError[] = [];
    checkImmutable(errors, "spec", spec, old);
    return errors;
  },
  hasGeneration: true,
  columns: [
    nameColumn,
    column("Attacher", ({ spec }) => spec.attacher),
    column("PV", ({ spec }) => spec.source.persistentVolumeName ?? ""),
    column("Node", ({ spec }) => spec.nodeName),
    column("Attached", ({ status }) => status?.attached ?? false),
    ageColumn,
  ],
};
