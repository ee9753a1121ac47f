// Requests of the pod as a whole (`spec.resources`): what the containers ask for together, else the pod's limits.
import { parseQuantity } from "../../../machinery/index.ts";
import { isPodLevelResource } from "../../pod-resources.ts";
import { isSidecar } from "../../pod-state.ts";
import type { Container, PodSpec } from "../../types/core/v1.ts";

/** Fills in the requests that `spec.resources` leaves out. */
export function applyPodLevelRequests(spec: PodSpec): void {
  const { resources } = spec;
  if (!resources || (resources.requests === undefined && resources.limits === undefined)) return;
  const requests = { ...resources.requests };
  for (const name of containerRequestNames(spec)) if (isPodLevelResource(name)) requests[name] ??= aggregatedRequest(spec, name);
  for (const name in resources.limits) if (isPodLevelResource(name)) requests[name] ??= resources.limits[name] ?? "0";
  if (Object.keys(requests).length > Object.keys(resources.requests ?? {}).length) resources.requests = requests;
}

function containerRequestNames(spec: PodSpec): Set<string> {
  const names = new Set<string>();
  for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) {
    for (const name in container.resources?.requests) names.add(name);
  }
  return names;
}

function aggregatedRequest(spec: PodSpec, name: string): string {
  const requestOf = (container: Container) => parseQuantity(container.resources?.requests?.[name] ?? "0");
  let total = (spec.containers ?? []).map(requestOf).reduce((sum, request) => sum.add(request), parseQuantity("0"));
  let sidecars = parseQuantity("0");
  let peak = parseQuantity("0");
  for (const container of spec.initContainers ?? []) {
    const together = sidecars.add(requestOf(container));
    if (isSidecar(container)) {
      sidecars = together;
      total = total.add(requestOf(container));
    }
    if (together.compare(peak) > 0) peak = together;
  }
  return (peak.compare(total) > 0 ? peak : total).toString();
}
