// PodTemplate: a template on its own.
import type { FieldError } from "../../machinery/index.ts";
import { column, containerColumns, formatLabels, nameColumn } from "../printing/columns.ts";
import type { KindStrategy } from "../strategy.ts";
import type { PodTemplate } from "../types/core/v1.ts";
import { applyPodTemplateDefaults } from "./pod-spec/defaults.ts";
import { validatePodTemplate } from "./pod-spec/validate.ts";

export const podTemplateStrategy: KindStrategy<PodTemplate> = {
  applyDefaults: ({ template }) => applyPodTemplateDefaults(template),
  validate({ template = {} }) {
    const errors: FieldError[] = [];
    validatePodTemplate(errors, "template", template);
    return errors;
  },
  hasGeneration: true,
  columns: [
    nameColumn,
    ...containerColumns<PodTemplate>(({ template }) => template?.spec?.containers).map((wide) => ({ ...wide, priority: 0 })),
    column("Pod Labels", ({ template }) => formatLabels(template?.metadata?.labels)),
  ],
};
