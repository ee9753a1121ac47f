// Namespace: the finalizer of its content, its phase.

import { isDns1123Label } from "../../machinery/index.ts";
import { ageColumn, column, nameColumn } from "../printing/columns.ts";
import type { KindStrategy } from "../strategy.ts";
import type { Namespace } from "../types/core/v1.ts";
import { keepSpec } from "../validation/prepare.ts";

export const namespaceStrategy: KindStrategy<Namespace> = {
  applyDefaults(namespace) {
    // Every namespace can be selected by its name.
    const { name } = namespace.metadata;
    if (!name) return;
    namespace.metadata.labels ??= {};
    namespace.metadata.labels["kubernetes.io/metadata.name"] = name;
  },
  prepareForCreate(namespace) {
    const finalizers = namespace.spec?.finalizers ?? [];
    namespace.spec = { finalizers: finalizers.includes("kubernetes") ? finalizers : [...finalizers, "kubernetes"] };
    namespace.status = { phase: "Active" };
  },
  prepareForUpdate(namespace, old) {
    // Finalizers go by the `finalize` subresource only.
    keepSpec(namespace, old);
    if (old.status) namespace.status = old.status;
  },
  prepareForStatusUpdate: keepSpec,
  validateName: isDns1123Label,
  columns: [nameColumn, column("Status", (namespace) => namespace.status?.phase ?? ""), ageColumn],
  selectableFields: {
    "status.phase": (namespace) => namespace.status?.phase ?? "",
    name: (namespace) => namespace.metadata.name ?? "",
  },
};
