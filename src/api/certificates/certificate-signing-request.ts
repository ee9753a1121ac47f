// CertificateSigningRequest: what was asked for never changes; approval and certificate come by subresources.
import { type FieldError, field } from "../../machinery/index.ts";
import { ageColumn, column, nameColumn } from "../printing/columns.ts";
import { humanDuration } from "../printing/duration.ts";
import { isPathSegment } from "../rbac/rules.ts";
import type { KindStrategy } from "../strategy.ts";
import type { CertificateSigningRequest } from "../types/certificates/v1.ts";
import { keepSpec, keepStatus } from "../validation/prepare.ts";
import { checkSignerName } from "../validation/signer.ts";

const minExpirationSeconds = 600;

function conditionCell({ status }: CertificateSigningRequest): string {
  const types = new Set((status?.conditions ?? []).map(({ type }) => type));
  const words: string[] = [];
  if (types.has("Denied")) words.push("Denied");
  else if (types.has("Approved")) words.push("Approved");
  else words.push("Pending");
  if (types.has("Failed")) words.push("Failed");
  if (status?.certificate) words.push("Issued");
  return words.join(",");
}

/** Approval and denial exclude each other, and stay. */
function validateApproval({ status }: CertificateSigningRequest, { status: old }: CertificateSigningRequest): FieldError[] {
  const types = new Set((status?.conditions ?? []).map(({ type }) => type));
  const before = new Set((old?.conditions ?? []).map(({ type }) => type));
  const gone = ["Approved", "Denied", "Failed"].filter((type) => before.has(type) && !types.has(type));
  const path = "status.conditions";
  const errors = gone.map((type) => field.forbidden(path, `updates may not remove a condition of type "${type}"`));
  if (types.has("Approved") && types.has("Denied")) {
    errors.push(field.invalid(path, "Denied", "Approved and Denied conditions are mutually exclusive"));
  }
  return errors;
}

export const certificateSigningRequestStrategy: KindStrategy<CertificateSigningRequest> = {
  prepareForCreate(request, { user }) {
    request.status = {};
    // Who asks is for the server to say.
    const { extra: _, uid: __, ...spec } = request.spec;
    const extra = Object.entries(user?.extra ?? {}).map(([key, values]) => [key, [...values]]);
    request.spec = {
      ...spec,
      username: user?.name,
      groups: [...(user?.groups ?? [])],
      ...(user?.uid === undefined ? {} : { uid: user.uid }),
      ...(extra.length === 0 ? {} : { extra: Object.fromEntries(extra) }),
    };
  },
  prepareForUpdate(request, old) {
    keepSpec(request, old);
    keepStatus(request, old);
  },
  prepareForStatusUpdate: keepSpec,
  validate({ spec }) {
    const errors: FieldError[] = [];
    if (!spec.request) errors.push(field.required("spec.request"));
    else if (!Buffer.from(spec.request, "base64").toString("latin1").includes("-----BEGIN CERTIFICATE REQUEST-----")) {
      errors.push(field.invalid("spec.request", spec.request, "PEM block type must be CERTIFICATE REQUEST"));
    }
    if (!spec.usages?.length) errors.push(field.required("spec.usages", "usages cannot be empty"));
    checkSignerName(errors, "spec.signerName", spec.signerName);
    if (spec.expirationSeconds !== undefined && spec.expirationSeconds < minExpirationSeconds) {
      errors.push(
        field.invalid("spec.expirationSeconds", spec.expirationSeconds, "may not specify a duration less than 600 seconds (10 minutes)"),
      );
    }
    return errors;
  },
  validateSubresourceUpdate: { approval: validateApproval },
  validateName: isPathSegment,
  selectableFields: { "spec.signerName": ({ spec }) => spec.signerName },
  columns: [
    nameColumn,
    ageColumn,
    column("SignerName", ({ spec }) => spec.signerName),
    column("Requestor", ({ spec }) => spec.username ?? ""),
    column("RequestedDuration", ({ spec }) =>
      spec.expirationSeconds === undefined ? "<none>" : humanDuration(spec.expirationSeconds * 1000),
    ),
    column("Condition", conditionCell),
  ],
};
