// How NodeMetrics and PodMetrics are shown by `kubectl get`.
import { parseQuantity } from "../../machinery/index.ts";
import type { KindStrategy, PrintedColumn } from "../strategy.ts";
import type { NodeMetrics, PodMetrics, ResourceUsage } from "./types.ts";

/** Columns of what `usagesOf` finds, summed. */
function usageColumns<T extends { readonly window: string }>(usagesOf: (object: T) => readonly ResourceUsage[]): PrintedColumn<T>[] {
  const column = (name: string, resource: string): PrintedColumn<T> => ({
    name,
    type: "string",
    cell: (object) =>
      usagesOf(object)
        .map((usage) => parseQuantity(usage[resource] ?? "0"))
        .reduce((sum, value) => sum.add(value))
        .toString(),
  });
  const windowColumn: PrintedColumn<T> = { name: "Window", type: "string", cell: ({ window }) => window };
  return [column("CPU", "cpu"), column("Memory", "memory"), windowColumn];
}

export const nodeMetricsStrategy: KindStrategy<NodeMetrics> = { columns: usageColumns(({ usage }) => [usage]) };
export const podMetricsStrategy: KindStrategy<PodMetrics> = {
  columns: usageColumns(({ containers }) => containers.map(({ usage }) => usage)),
};
