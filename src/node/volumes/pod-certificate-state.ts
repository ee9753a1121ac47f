// The life of a certificate that a volume shows: asked for, issued, asked for again before it ends; or refused for good. Pure.
import type { PodCertificateRequest } from "../../api/types/certificates/v1beta1.ts";
import { type DeepReadonly, encodePem, pemBlocks } from "../../machinery/index.ts";

export type CertificateRequest = DeepReadonly<PodCertificateRequest>;

/** A private key, PKCS #8, and the certificates for it, both PEM. */
export interface Credential {
  readonly privateKey: string;
  readonly chain: string;
  readonly beginRefreshAtMs: number;
  readonly notAfterMs: number;
  /** Reasons of the events that told of its age. */
  readonly told: readonly string[];
}

/** A request that was made. */
export interface Asked {
  readonly privateKey: string;
  readonly requestName: string;
  /** When a request that is not seen any more must have been deleted. */
  readonly abandonAtMs: number;
}

export type CertificateState =
  | { readonly kind: "missing" }
  | { readonly kind: "asked"; readonly asked: Asked }
  | { readonly kind: "issued"; readonly credential: Credential }
  | { readonly kind: "refreshing"; readonly credential: Credential; readonly asked: Asked }
  | { readonly kind: "refused"; readonly type: "Denied" | "Failed"; readonly reason: string; readonly message: string };

export interface CertificateEvent {
  readonly reason: string;
  readonly message: string;
}

export interface CertificateStep {
  readonly state: CertificateState;
  /** Whether a request must be made now. */
  readonly mustAsk: boolean;
  /** Warnings about the pod. */
  readonly events: readonly CertificateEvent[];
}

/** How long a request may stay unseen. */
export const ABANDON_MS = 10 * 60_000;
const OVERDUE_MS = 10 * 60_000;

/**
 * What follows from the request as it is now: `request` is the one that the state names, undefined when there is none.
 * `jitterMs` puts refreshes off, so that they do not all come at once.
 */
export function stepCertificate(
  state: CertificateState,
  { request, nowMs, jitterMs }: { readonly request: CertificateRequest | undefined; readonly nowMs: number; readonly jitterMs: number },
): CertificateStep {
  switch (state.kind) {
    case "missing":
      return { state, mustAsk: true, events: [] };
    case "refused":
      return { state, mustAsk: false, events: [] };
    case "issued":
      return aged(state, { mustAsk: nowMs >= state.credential.beginRefreshAtMs, nowMs });
    default: {
      const end = request && ending(request, state.asked, jitterMs);
      if (end !== undefined) return end;
      const isLost = request === undefined && nowMs > state.asked.abandonAtMs;
      if (state.kind === "asked") return { state: isLost ? { kind: "missing" } : state, mustAsk: isLost, events: [] };
      return aged(isLost ? { kind: "issued", credential: state.credential } : state, { mustAsk: isLost, nowMs });
    }
  }
}

/** The state after a request was made. */
export function afterAsking(state: CertificateState, asked: Asked): CertificateState {
  return "credential" in state ? { kind: "refreshing", credential: state.credential, asked } : { kind: "asked", asked };
}

function ending({ metadata, status = {} }: CertificateRequest, { privateKey }: Asked, jitterMs: number): CertificateStep | undefined {
  for (const { type, reason, message } of status.conditions ?? []) {
    if (type === "Issued") {
      const chain = pemBlocks(status.certificateChain ?? "").map((block) => encodePem(block.type, block.der));
      const beginRefreshAtMs = Date.parse(status.beginRefreshAt ?? "") + jitterMs;
      const credential = { privateKey, chain: chain.join(""), beginRefreshAtMs, notAfterMs: Date.parse(status.notAfter ?? ""), told: [] };
      return { state: { kind: "issued", credential }, mustAsk: false, events: [] };
    }
    if (type === "Denied" || type === "Failed") {
      const verb = type === "Denied" ? "was denied" : "failed";
      const why = `reason=${JSON.stringify(reason)}, message=${JSON.stringify(message)}`;
      const text = `PodCertificateRequest ${metadata.namespace}/${metadata.name} ${verb}, ${why}`;
      return { state: { kind: "refused", type, reason, message }, mustAsk: false, events: [{ reason: type, message: text }] };
    }
  }
  return undefined;
}

/** Tells once that the certificate should have been replaced, and once that it has ended. */
function aged(
  state: Extract<CertificateState, { credential: Credential }>,
  { mustAsk, nowMs }: { readonly mustAsk: boolean; readonly nowMs: number },
): CertificateStep {
  const { credential } = state;
  const ages = [
    { reason: "CertificateOverdueForRefresh", message: "PodCertificate refresh overdue", fromMs: credential.beginRefreshAtMs + OVERDUE_MS },
    { reason: "CertificateExpired", message: "PodCertificate expired", fromMs: credential.notAfterMs },
  ];
  const events = ages.filter(({ reason, fromMs }) => nowMs > fromMs && !credential.told.includes(reason));
  if (events.length === 0) return { state, mustAsk, events };
  const told = [...credential.told, ...events.map(({ reason }) => reason)];
  return { state: { ...state, credential: { ...credential, told } }, mustAsk, events };
}
