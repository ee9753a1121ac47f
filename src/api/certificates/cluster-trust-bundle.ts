// ClusterTrustBundle: root certificates, of a signer's or of anybody's.
import { X509Certificate } from "node:crypto";
import { type FieldError, field, isDns1123Subdomain, type PemBlock, pemBlocks } from "../../machinery/index.ts";
import { ageColumn, column, nameColumn } from "../printing/columns.ts";
import type { KindStrategy } from "../strategy.ts";
import type { ClusterTrustBundle } from "../types/certificates/v1beta1.ts";
import { checkImmutable, checkMessages } from "../validation/checks.ts";
import { checkSignerName } from "../validation/signer.ts";

const BUNDLE_MAX_BYTES = 1024 * 1024;
/** Certificates are too long to be repeated in messages. */
const OMITTED = "<value omitted>";

/** What is wrong with the name of a bundle; a signer's bundles are called `<domain>:<path>:<anything>`. */
export function trustBundleNameProblems(name: string, signerName: string): string[] {
  if (signerName === "") {
    return name.includes(":") ? [`ClusterTrustBundle without signer name must not have ":" in its name`] : isDns1123Subdomain(name);
  }
  const prefix = `${signerName.replaceAll("/", ":")}:`;
  if (name.startsWith(prefix)) return isDns1123Subdomain(name.slice(prefix.length));
  return [`ClusterTrustBundle for signerName ${signerName} must be named with prefix ${prefix}`];
}

function validateTrustBundle(path: string, text: string): FieldError[] {
  if (Buffer.byteLength(text) > BUNDLE_MAX_BYTES) return [field.tooLong(path, BUNDLE_MAX_BYTES)];
  const invalid = (detail: string) => field.invalid(path, OMITTED, detail);
  const blocks = pemBlocks(text);
  const problems = blocks.map(anchorProblem).flatMap((problem, i) => (problem === undefined ? [] : [invalid(`entry ${i} ${problem}`)]));
  if (problems.length > 0) return problems;
  if (blocks.length === 0) return [invalid("at least one trust anchor must be provided")];
  const places = Map.groupBy(blocks.keys(), (i) => blocks[i]?.der.toString("base64"));
  const repeated = [...places.values()].filter((indices) => indices.length > 1);
  return repeated.map((indices) => invalid(`duplicate trust anchor (indices [${indices.join(" ")}])`));
}

function anchorProblem({ type, hasHeaders, der }: PemBlock): string | undefined {
  if (type !== "CERTIFICATE") return `has bad block type: ${type}`;
  if (hasHeaders) return "has PEM block headers";
  try {
    return new X509Certificate(der).ca ? undefined : "does not have the CA bit set";
  } catch {
    return "does not parse as X.509";
  }
}

export const clusterTrustBundleStrategy: KindStrategy<ClusterTrustBundle> = {
  validate({ metadata, spec }, old) {
    const errors: FieldError[] = [];
    const { signerName = "", trustBundle } = spec;
    const { name = "" } = metadata;
    checkMessages(errors, "metadata.name", name, trustBundleNameProblems(name, signerName));
    if (signerName !== "") checkSignerName(errors, "spec.signerName", signerName);
    // What once was read is not read again: libraries become stricter.
    if (trustBundle !== old?.spec.trustBundle) errors.push(...validateTrustBundle("spec.trustBundle", trustBundle));
    return errors;
  },
  validateUpdate({ spec }, { spec: old }) {
    const errors: FieldError[] = [];
    checkImmutable(errors, "spec.signerName", spec.signerName, old.signerName);
    return errors;
  },
  // The name is judged together with the signer's.
  validateName: () => [],
  selectableFields: { "spec.signerName": ({ spec }) => spec.signerName ?? "" },
  columns: [nameColumn, column("SignerName", ({ spec }) => spec.signerName || "<none>"), ageColumn],
};
