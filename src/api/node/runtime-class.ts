// RuntimeClass: the handler never changes.
import { type FieldError, isDns1123Label } from "../../machinery/index.ts";
import { validateTolerations } from "../core/pod-spec/validate-scheduling.ts";
import { ageColumn, column, nameColumn } from "../printing/columns.ts";
import type { KindStrategy } from "../strategy.ts";
import type { RuntimeClass } from "../types/node/v1.ts";
import { checkImmutable, checkMessages } from "../validation/checks.ts";

export const runtimeClassStrategy: KindStrategy<RuntimeClass> = {
  validate({ handler, scheduling }) {
    const errors: FieldError[] = [];
    checkMessages(errors, "handler", handler, isDns1123Label(handler ?? ""));
    validateTolerations(errors, "scheduling.tolerations", scheduling?.tolerations);
    return errors;
  },
  validateUpdate(runtimeClass, old) {
    const errors: FieldError[] = [];
    checkImmutable(errors, "handler", runtimeClass.handler, old.handler);
    return errors;
  },
  columns: [nameColumn, column("Handler", ({ handler }) => handler), ageColumn],
};
