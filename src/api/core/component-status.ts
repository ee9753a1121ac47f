// ComponentStatus: columns. It is computed, never written.
import { column, nameColumn } from "../printing/columns.ts";
import type { KindStrategy } from "../strategy.ts";
import type { ComponentStatus } from "../types/core/v1.ts";

function healthy({ conditions = [] }: ComponentStatus) {
  return conditions.find(({ type }) => type === "Healthy");
}

export const componentStatusStrategy: KindStrategy<ComponentStatus> = {
  deprecationWarning: "v1 ComponentStatus is deprecated in v1.19+",
  columns: [
    nameColumn,
    column("Status", (object) => {
      const condition = healthy(object);
      return condition === undefined ? "Unknown" : condition.status === "True" ? "Healthy" : "Unhealthy";
    }),
    column("Message", (object) => healthy(object)?.message ?? ""),
    column("Error", (object) => healthy(object)?.error ?? ""),
  ],
};
