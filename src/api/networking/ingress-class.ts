// IngressClass: its controller never changes.
import { type FieldError, field } from "../../machinery/index.ts";
import { ageColumn, column, nameColumn } from "../printing/columns.ts";
import type { KindStrategy } from "../strategy.ts";
import type { IngressClass } from "../types/networking/v1.ts";
import { checkImmutable } from "../validation/checks.ts";

function parametersCell({ spec }: IngressClass): string {
  const { parameters } = spec ?? {};
  if (!parameters) return "<none>";
  const { apiGroup, kind, name } = parameters;
  return `${kind}${apiGroup ? `.${apiGroup}` : ""}/${name}`;
}

export const ingressClassStrategy: KindStrategy<IngressClass> = {
  applyDefaults({ spec }) {
    if (spec?.parameters) spec.parameters.scope ??= "Cluster";
  },
  validate({ spec }) {
    const errors: FieldError[] = [];
    const { controller = "", parameters } = spec ?? {};
    if (controller.length > 250) errors.push(field.tooLong("spec.controller", 250));
    if (!controller.includes("/")) {
      errors.push(field.invalid("spec.controller", controller, 'must be a domain-prefixed path (such as "acme.io/foo")'));
    }
    if (parameters && !parameters.kind) errors.push(field.required("spec.parameters.kind", "kind is required"));
    if (parameters && !parameters.name) errors.push(field.required("spec.parameters.name", "name is required"));
    if (parameters?.scope === "Namespace" && !parameters.namespace) {
      errors.push(field.required("spec.parameters.namespace", "`parameters.scope` is set to 'Namespace'"));
    }
    return errors;
  },
  validateUpdate({ spec }, { spec: old }) {
    const errors: FieldError[] = [];
    checkImmutable(errors, "spec.controller", spec?.controller, old?.controller);
    return errors;
  },
  hasGeneration: true,
  columns: [nameColumn, column("Controller", ({ spec }) => spec?.controller ?? ""), column("Parameters", parametersCell), ageColumn],
};
