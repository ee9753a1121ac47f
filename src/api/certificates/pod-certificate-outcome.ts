// How a PodCertificateRequest ends: issued, denied or failed, once and for all; an issued certificate must be what was asked
// for.
import { X509Certificate } from "node:crypto";
import { type FieldError, field, type PemBlock, pemBlocks } from "../../machinery/index.ts";
import type { PodCertificateRequest, PodCertificateRequestStatus } from "../types/certificates/v1beta1.ts";
import { validateConditions } from "../validation/conditions.ts";
import { semanticEqual } from "../validation/equal.ts";
import { requestedKey } from "./pod-certificate-key.ts";

const outcomes = ["Issued", "Denied", "Failed"] as const;
export type PodCertificateOutcome = (typeof outcomes)[number];

const CHAIN_MAX_BYTES = 100 * 1024;
const MINUTE_MS = 60_000;
/** How far notBefore may be from now. */
const SKEW_MS = 5 * MINUTE_MS;
const MIN_LIFE_MS = 60 * MINUTE_MS;
/** How far the refresh must begin from both ends of the certificate's life. */
const REFRESH_MARGIN_MS = 10 * MINUTE_MS;

const chainPath = "status.certificateChain";

/** Undefined while the request is pending. */
export function outcomeOf({ status }: PodCertificateRequest): PodCertificateOutcome | undefined {
  return outcomes.find((type) => status?.conditions?.some((condition) => condition.type === type && condition.status === "True"));
}

/** Errors of a change of the status from `old`'s. */
export function validateOutcome(request: PodCertificateRequest, old: PodCertificateRequest, nowMs: number): FieldError[] {
  const { status = {} } = request;
  const errors = [...validateOutcomeConditions(status), ...validateConditions(status.conditions, "status.conditions")];
  if (errors.length > 0) return errors;
  const keeps = (expected: PodCertificateRequestStatus, detail: string): FieldError[] =>
    semanticEqual(status, expected) ? [] : [{ ...field.invalid("status", undefined, detail), omitsValue: true }];
  if (outcomeOf(old) !== undefined) {
    return keeps(old.status ?? {}, "immutable after PodCertificateRequest is issued, denied, or failed");
  }
  switch (outcomeOf(request)) {
    case "Issued":
      return validateChain(request, nowMs);
    case undefined:
      return keeps(old.status ?? {}, 'status is immutable unless transitioning to "Issued", "Denied", or "Failed"');
    default:
      return keeps(
        { conditions: status.conditions },
        "non-condition status fields must be empty when denying or failing the PodCertificateRequest",
      );
  }
}

function validateOutcomeConditions({ conditions = [] }: PodCertificateRequestStatus): FieldError[] {
  const errors: FieldError[] = [];
  let count = 0;
  conditions.forEach(({ type, status }, i) => {
    const path = `status.conditions[${i}]`;
    if (!(outcomes as readonly string[]).includes(type)) {
      errors.push(field.notSupported(`${path}.type`, type, outcomes));
      return;
    }
    count++;
    if (count > 1) {
      errors.push(field.invalid(`${path}.type`, type, 'There may be at most one condition with type "Issued", "Denied", or "Failed"'));
    }
    if (status !== "True") errors.push(field.notSupported(`${path}.status`, status, ["True"]));
  });
  return errors;
}

function validateChain(request: PodCertificateRequest, nowMs: number): FieldError[] {
  const { certificateChain: chain = "" } = request.status ?? {};
  if (Buffer.byteLength(chain) > CHAIN_MAX_BYTES) return [field.tooLong(chainPath, CHAIN_MAX_BYTES)];
  const invalid = (detail: string) => [field.invalid(chainPath, chain, detail)];
  const [leafBlock, ...others] = pemBlocks(chain);
  if (leafBlock === undefined) return invalid("issued certificate chain must contain at least one certificate");
  if ([leafBlock, ...others].some(({ type }) => type !== "CERTIFICATE")) {
    return invalid("issued certificate chain must consist entirely of CERTIFICATE PEM blocks");
  }
  const leaf = certificateOf(leafBlock);
  if (leaf === undefined) return invalid("leaf certificate does not parse as valid X.509");
  if (others.some((block) => certificateOf(block) === undefined)) return invalid("intermediate certificate does not parse as valid X.509");
  const wanted = requestedKey(request.spec);
  if (wanted === undefined || !leaf.publicKey.equals(wanted)) {
    return invalid("leaf certificate was not issued to the requested public key");
  }
  return validateTimes(request, leaf, nowMs);
}

function certificateOf({ der }: PemBlock): X509Certificate | undefined {
  try {
    return new X509Certificate(der);
  } catch {
    return undefined;
  }
}

function validateTimes({ spec, status = {} }: PodCertificateRequest, leaf: X509Certificate, nowMs: number): FieldError[] {
  const { notBefore, notAfter, beginRefreshAt } = status;
  const required: FieldError[] = [];
  const consistent = "must be present and consistent with the issued certificate";
  if (!notBefore) required.push(field.required("status.notBefore", consistent));
  if (!notAfter) required.push(field.required("status.notAfter", consistent));
  if (!beginRefreshAt) {
    required.push(field.required("status.beginRefreshAt", "must be present and in the range [notbefore+10min, notafter-10min]"));
  }
  if (!notBefore || !notAfter || !beginRefreshAt) return required;
  const [beginMs, endMs, refreshMs] = [Date.parse(notBefore), Date.parse(notAfter), Date.parse(beginRefreshAt)];
  const [leafBeginMs, leafEndMs] = [leaf.validFromDate.getTime(), leaf.validToDate.getTime()];
  const one = (path: string, value: unknown, detail: string) => [field.invalid(path, value, detail)];
  if (beginMs !== leafBeginMs) {
    return one("status.notBefore", notBefore, "must be set to the NotBefore time encoded in the leaf certificate");
  }
  if (Math.abs(beginMs - nowMs) >= SKEW_MS) {
    return one("status.notBefore", notBefore, "must be set to within 5 minutes of kube-apiserver's current time");
  }
  if (endMs !== leafEndMs) return one("status.notAfter", notAfter, "must be set to the NotAfter time encoded in the leaf certificate");
  const lifeMs = leafEndMs - leafBeginMs;
  const { maxExpirationSeconds = 0 } = spec;
  if (lifeMs < MIN_LIFE_MS) return one(chainPath, goDuration(lifeMs), "leaf certificate lifetime must be >= 1 hour");
  if (lifeMs > maxExpirationSeconds * 1_000) {
    const detail = `leaf certificate lifetime must be <= spec.maxExpirationSeconds (${maxExpirationSeconds})`;
    return one(chainPath, goDuration(lifeMs), detail);
  }
  if (refreshMs < beginMs + REFRESH_MARGIN_MS) {
    return one("status.beginRefreshAt", beginRefreshAt, "must be at least 10 minutes after status.notBefore");
  }
  if (refreshMs > endMs - REFRESH_MARGIN_MS) {
    return one("status.beginRefreshAt", beginRefreshAt, "must be at least 10 minutes before status.notAfter");
  }
  return [];
}

/** Such as `25h0m0s`. */
function goDuration(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60];
  return `${hours > 0 ? `${hours}h` : ""}${hours > 0 || minutes > 0 ? `${minutes}m` : ""}${seconds % 60}s`;
}
