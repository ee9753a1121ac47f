// Whether an APIService answers: the condition Available in upstream's words. Pure.
import type { APIService, APIServiceCondition } from "../../api/types/apiregistration/v1.ts";
import { formatTime } from "../../base/index.ts";
import type { DeepReadonly } from "../../machinery/index.ts";

export type Verdict = Pick<APIServiceCondition, "status" | "reason" | "message">;

export const localVerdict: Verdict = { status: "True", reason: "Local", message: "Local APIServices are always available" };
export const passedVerdict: Verdict = { status: "True", reason: "Passed", message: "all checks passed" };

/** What is missing before the API server can be asked. */
export type Missing = "service" | "port" | "endpoints";

export function missingVerdict(missing: Missing, { namespace, name, port }: { namespace: string; name: string; port: number }): Verdict {
  const service = `service/${name} in ${JSON.stringify(namespace)}`;
  switch (missing) {
    case "service":
      return { status: "False", reason: "ServiceNotFound", message: `${service} is not present` };
    case "port":
      return { status: "False", reason: "ServicePortError", message: `${service} is not listening on port ${port}` };
    case "endpoints":
      return { status: "False", reason: "MissingEndpoints", message: `endpointslices for ${service} have no addresses` };
  }
}

export function failedVerdict(url: string, problem: string): Verdict {
  return { status: "False", reason: "FailedDiscoveryCheck", message: `failing or missing response from ${url}: ${problem}` };
}

/** `service` with the verdict as its condition; undefined when it says so already. */
export function withVerdict(service: DeepReadonly<APIService>, verdict: Verdict, nowMs: number): APIService | undefined {
  const conditions = service.status?.conditions ?? [];
  const old = conditions.find(({ type }) => type === "Available");
  if (old?.status === verdict.status && old.reason === verdict.reason && old.message === verdict.message) return undefined;
  const since = old?.status === verdict.status ? old.lastTransitionTime : formatTime(nowMs);
  const condition = { type: "Available", ...verdict, ...(since === undefined ? {} : { lastTransitionTime: since }) };
  const others = conditions.filter(({ type }) => type !== "Available");
  return { ...(service as APIService), status: { conditions: [...(others as APIServiceCondition[]), condition] } };
}

export function isAvailable({ status }: DeepReadonly<APIService>): boolean {
  return status?.conditions?.some(({ type, status: is }) => type === "Available" && is === "True") === true;
}
