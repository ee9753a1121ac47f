// PodCertificateRequest: a node's wish for a certificate for a pod, and what became of it.
import { type FieldError, field, isDns1123Subdomain } from "../../machinery/index.ts";
import { column, nameColumn } from "../printing/columns.ts";
import type { KindStrategy } from "../strategy.ts";
import type { PodCertificateRequest, PodCertificateRequestSpec } from "../types/certificates/v1beta1.ts";
import { checkImmutable, checkRequiredName } from "../validation/checks.ts";
import { dropStatus, keepSpecAndMetadata, keepStatus } from "../validation/prepare.ts";
import { certificateLifeRange, checkSignerName, defaultCertificateSeconds, validateUserAnnotations } from "../validation/signer.ts";
import { validateRequestKey } from "./pod-certificate-key.ts";
import { outcomeOf, validateOutcome } from "./pod-certificate-outcome.ts";

const UID_MAX_BYTES = 128;

function validateSpec(spec: PodCertificateRequestSpec): FieldError[] {
  const errors: FieldError[] = [];
  checkSignerName(errors, "spec.signerName", spec.signerName);
  errors.push(...validateUserAnnotations(spec.unverifiedUserAnnotations, "spec.unverifiedUserAnnotations"));
  for (const [name, uid] of [
    ["podName", "podUID"],
    ["serviceAccountName", "serviceAccountUID"],
    ["nodeName", "nodeUID"],
  ] as const) {
    checkRequiredName(errors, `spec.${name}`, spec[name], isDns1123Subdomain);
    if (!spec[uid]) errors.push(field.invalid(`spec.${uid}`, spec[uid] ?? "", "must not be empty"));
    else if (spec[uid].length > UID_MAX_BYTES) errors.push(field.tooLong(`spec.${uid}`, UID_MAX_BYTES));
  }
  const { maxExpirationSeconds: seconds } = spec;
  if (seconds === undefined) return [...errors, field.required("spec.maxExpirationSeconds", "must be set")];
  const { min, max } = certificateLifeRange(spec.signerName);
  if (seconds < min || seconds > max) {
    errors.push(field.invalid("spec.maxExpirationSeconds", seconds, `must be in the range [${min}, ${max}]`));
  }
  return [...errors, ...validateRequestKey(spec)];
}

export const podCertificateRequestStrategy: KindStrategy<PodCertificateRequest> = {
  applyDefaults({ spec }) {
    spec.maxExpirationSeconds ??= defaultCertificateSeconds;
  },
  prepareForCreate: dropStatus,
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: keepSpecAndMetadata,
  // What was valid when it was made stays so: nothing of it may change.
  validate: ({ spec }, old) => (old === undefined ? validateSpec(spec) : []),
  validateUpdate({ spec }, { spec: old }) {
    const errors: FieldError[] = [];
    checkImmutable(errors, "spec", spec, old);
    return errors;
  },
  validateStatusUpdate: (request, old, { clock }) => validateOutcome(request, old, clock.now()),
  selectableFields: {
    "spec.signerName": ({ spec }) => spec.signerName,
    "spec.podName": ({ spec }) => spec.podName,
    "spec.nodeName": ({ spec }) => spec.nodeName,
  },
  columns: [
    nameColumn,
    column("PodName", ({ spec }) => spec.podName),
    column("ServiceAccountName", ({ spec }) => spec.serviceAccountName),
    column("NodeName", ({ spec }) => spec.nodeName),
    column("SignerName", ({ spec }) => spec.signerName),
    column("State", (request) => outcomeOf(request) ?? "Pending"),
  ],
};
