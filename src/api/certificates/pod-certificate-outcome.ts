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

function requireTimes({ notBefore, notAfter, beginRefreshAt }: PodCertificateRequestStatus): FieldError[] {
  const errors: FieldError[] = [];
  const consistent = "must be present and consistent with the issued certificate";
  if (!notBefore) errors.push(field.required("status.notBefore", consistent));
  if (!notAfter) errors.push(field.required("status.notAfter", consistent));
  if (!beginRefreshAt) {
    errors.push(field.required("status.beginRefreshAt", "must be present and in the range [notbefore+10min, notafter-10min]"));
  }
  return errors;
}

/** The first thing that is wrong with the times that the status tells. */
function validateTimes({ spec, status = {} }: PodCertificateRequest, leaf: X509Certificate, nowMs: number): FieldError[] {
  const required = requireTimes(status);
  if (required.length > 0) return required;
  const { notBefore = "", notAfter = "", beginRefreshAt = "" } = status;
  const [beginMs, endMs, refreshMs] = [Date.parse(notBefore), Date.parse(notAfter), Date.parse(beginRefreshAt)];
  const [leafBeginMs, leafEndMs] = [leaf.validFromDate.getTime(), leaf.validToDate.getTime()];
  const lifeMs = leafEndMs - leafBeginMs;
  const { maxExpirationSeconds = 0 } = spec;
  const begin = (holds: boolean, detail: string) => ({ holds, path: "status.notBefore", value: notBefore, detail });
  const end = (holds: boolean, detail: string) => ({ holds, path: "status.notAfter", value: notAfter, detail });
  const life = (holds: boolean, detail: string) => ({ holds, path: chainPath, value: goDuration(lifeMs), detail });
  const refresh = (holds: boolean, detail: string) => ({ holds, path: "status.beginRefreshAt", value: beginRefreshAt, detail });
  const broken = [
    begin(beginMs === leafBeginMs, "must be set to the NotBefore time encoded in the leaf certificate"),
    begin(Math.abs(beginMs - nowMs) < SKEW_MS, "must be set to within 5 minutes of kube-apiserver's current time"),
    end(endMs === leafEndMs, "must be set to the NotAfter time encoded in the leaf certificate"),
    life(lifeMs >= MIN_LIFE_MS, "leaf certificate lifetime must be >= 1 hour"),
    life(
      lifeMs <= maxExpirationSeconds * 1_000,
      `leaf certificate lifetime must be <= spec.maxExpirationSeconds (${maxExpirationSeconds})`,
    ),
    refresh(refreshMs >= beginMs + REFRESH_MARGIN_MS, "must be at least 10 minutes after status.notBefore"),
    refresh(refreshMs <= endMs - REFRESH_MARGIN_MS, "must be at least 10 minutes before status.notAfter"),
  ].find(({ holds }) => !holds);
  return broken === undefined ? [] : [field.invalid(broken.path, broken.value, broken.detail)];
}

/** Such as `25h0m0s`. */
function goDuration(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60];
  return `${hours > 0 ? `${hours}h` : ""}${hours > 0 || minutes > 0 ? `${minutes}m` : ""}${seconds % 60}s`;
}
