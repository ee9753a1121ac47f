// How long certificate requests are kept. Pure.
import type { CertificateSigningRequest } from "../../api/types/certificates/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";

export type SigningRequest = DeepReadonly<CertificateSigningRequest>;

const HOUR_MS = 3_600_000;
/** Answered requests: whoever asked has fetched the answer by then. */
const ANSWERED_MS = HOUR_MS;
const PENDING_MS = 24 * HOUR_MS;

export function hasCondition({ status }: SigningRequest, type: string): boolean {
  return status?.conditions?.some((condition) => condition.type === type && condition.status !== "False") === true;
}

/** When the request may go; `certificateEndsMs` is the end of the certificate that was issued. */
export function keptUntilMs(request: SigningRequest, certificateEndsMs: number | undefined): number {
  const { metadata, status } = request;
  const createdMs = Date.parse(metadata.creationTimestamp ?? "");
  const answered = (status?.conditions ?? []).filter(({ type }) => type === "Denied" || type === "Failed" || type === "Approved");
  if (answered.length === 0) return createdMs + PENDING_MS;
  const isWaiting = !hasCondition(request, "Denied") && !hasCondition(request, "Failed") && !status?.certificate;
  // An approved one waits for its signer as long as a pending one for its approval.
  if (isWaiting) return createdMs + PENDING_MS;
  const times = answered.map(({ lastUpdateTime }) => Date.parse(lastUpdateTime ?? "")).filter((time) => !Number.isNaN(time));
  const answeredMs = times.length === 0 ? createdMs : Math.max(...times);
  return Math.min(answeredMs + ANSWERED_MS, certificateEndsMs ?? Number.POSITIVE_INFINITY);
}
