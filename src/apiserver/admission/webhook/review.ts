// AdmissionReview: what a webhook is sent, and what its answer means.
import type { Resource } from "../../../api/index.ts";
import { type Status, StatusError } from "../../../machinery/index.ts";
import type { AdmissionRequest } from "../admission.ts";
import { requestJson } from "../matching/request-json.ts";
import { shownAs } from "../matching/shown-object.ts";

export interface AdmissionReview {
  readonly kind: "AdmissionReview";
  readonly apiVersion: string;
  readonly request: { readonly uid: string };
}

export interface ReviewResult {
  readonly allowed: boolean;
  /** Why not. */
  readonly status?: Status | undefined;
  /** A JSON patch. */
  readonly patch?: unknown;
  readonly warnings: readonly string[];
  readonly auditAnnotations: Readonly<Record<string, string>>;
}

/** The answer is not what the protocol asks for. */
export class InvalidReviewError extends Error {
  readonly code = "ERR_INVALID_REVIEW";
}

const supportedVersions = ["v1", "v1beta1"];

/** The first version of the webhook's own order that we speak as well. */
export function reviewVersion(accepted: readonly string[]): string {
  return accepted.find((version) => supportedVersions.includes(version)) ?? "v1";
}

export async function reviewOf(
  request: AdmissionRequest,
  shown: Resource,
  { uid, version }: { readonly uid: string; readonly version: string },
): Promise<AdmissionReview> {
  const { object, old } = request;
  return {
    kind: "AdmissionReview",
    apiVersion: `admission.k8s.io/${version}`,
    request: {
      uid,
      ...requestJson(request, shown),
      ...{ object: object === undefined ? null : await shownAs(request, object, shown) },
      ...{ oldObject: old === undefined ? null : await shownAs(request, old, shown) },
    },
  };
}

interface ReviewResponse {
  readonly uid?: string;
  readonly allowed?: boolean;
  readonly status?: Status;
  readonly patch?: string;
  readonly patchType?: string;
  readonly warnings?: readonly string[];
  readonly auditAnnotations?: Readonly<Record<string, string>>;
}

/** Reads the answer to `review`. Throws InvalidReviewError. */
export function readReview(answer: unknown, review: AdmissionReview, { canPatch }: { readonly canPatch: boolean }): ReviewResult {
  const { kind = "", apiVersion = "", response } = (answer ?? {}) as { kind?: string; apiVersion?: string; response?: ReviewResponse };
  const isBeta = review.apiVersion.endsWith("/v1beta1");
  // The old version never asked for its answer to name itself.
  if (!isBeta && (kind !== review.kind || apiVersion !== review.apiVersion)) {
    throw new InvalidReviewError(
      `expected webhook response of ${review.apiVersion}, Kind=AdmissionReview, got ${apiVersion}, Kind=${kind}`,
    );
  }
  if (response === undefined || response === null) throw new InvalidReviewError("webhook response was absent");
  if (!isBeta && response.uid !== review.request.uid) {
    throw new InvalidReviewError(`expected response.uid="${review.request.uid}", got "${response.uid ?? ""}"`);
  }
  const { allowed = false, status, warnings = [], auditAnnotations = {} } = response;
  return { allowed, status, warnings, auditAnnotations, patch: patchOf(response, { canPatch, isBeta }) };
}

function patchOf({ patch = "", patchType = "" }: ReviewResponse, { canPatch, isBeta }: { canPatch: boolean; isBeta: boolean }): unknown {
  if (!canPatch) {
    if (!isBeta && patch !== "") throw new InvalidReviewError("validating webhook may not return response.patch");
    return undefined;
  }
  if (patch === "") {
    if (patchType !== "" && !isBeta) throw new InvalidReviewError("webhook returned response.patchType but not response.patch");
    return undefined;
  }
  if (patchType === "" && !isBeta) throw new InvalidReviewError("webhook returned response.patch but not response.patchType");
  if (patchType !== "" && patchType !== "JSONPatch") {
    throw new InvalidReviewError(`webhook returned invalid response.patchType of "${patchType}"`);
  }
  try {
    return JSON.parse(Buffer.from(patch, "base64").toString());
  } catch (cause) {
    throw new InvalidReviewError(`webhook returned a patch that is no JSON: ${(cause as Error).message}`, { cause });
  }
}

/** The error that a denied request gets. */
export function denial(webhook: string, given: Status | undefined): StatusError {
  const { message = "", reason = "", code = 0, ...rest } = given ?? {};
  const who = `admission webhook "${webhook}" denied the request`;
  const why = message === "" ? reason : message;
  return new StatusError({
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    ...rest,
    status: "Failure",
    message: why === "" ? `${who} without explanation` : `${who}: ${why}`,
    ...(reason === "" ? {} : { reason }),
    code: Math.max(code, 400),
  });
}
