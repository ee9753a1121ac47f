// What everything that has to do with signers of certificates shares: their names, how long certificates live, and the
// annotations by which pods' authors talk to them.
import { type FieldError, field, isDns1123Label, isDns1123Subdomain, validateAnnotations } from "../../machinery/index.ts";
import { checkMessages } from "./checks.ts";

const DOMAIN_MAX_BYTES = 253;
/** `<domain>/<namespace>.<name>`, each as long as it may be. */
const SIGNER_MAX_BYTES = DOMAIN_MAX_BYTES + 1 + 63 + 1 + 253;
const HOUR_SECONDS = 3_600;
export const defaultCertificateSeconds = 24 * HOUR_SECONDS;
const MAX_SECONDS = 91 * 24 * HOUR_SECONDS;

/** The lives, in seconds, that may be asked for: signers of the project keep to a day. */
export function certificateLifeRange(signerName = ""): { readonly min: number; readonly max: number } {
  const [domain = ""] = signerName.split("/");
  const isOfProject = domain === "kubernetes.io" || domain.endsWith(".kubernetes.io");
  return { min: HOUR_SECONDS, max: isOfProject ? defaultCertificateSeconds : MAX_SECONDS };
}

/** `example.com/path`. */
export function checkSignerName(errors: FieldError[], path: string, signerName: string | undefined): void {
  if (signerName === undefined || signerName === "") {
    errors.push(field.required(path));
    return;
  }
  const [domain = "", name = "", ...more] = signerName.split("/");
  if (more.length > 0 || !signerName.includes("/")) {
    errors.push(field.invalid(path, signerName, "must be a fully qualified domain and path of the form 'example.com/signer-name'"));
    return;
  }
  if (domain.length > DOMAIN_MAX_BYTES) errors.push(field.tooLong(path, DOMAIN_MAX_BYTES));
  const labels = domain.split(".");
  checkFirstBad(errors, { path, value: domain, parts: labels, rule: isDns1123Label });
  if (labels.length < 2) {
    errors.push(field.invalid(path, domain, "should be a domain with at least two segments separated by dots"));
  }
  checkFirstBad(errors, { path, value: name, parts: name.split("."), rule: isDns1123Subdomain });
  if (signerName.length > SIGNER_MAX_BYTES) errors.push(field.tooLong(path, SIGNER_MAX_BYTES));
}

interface PartsToCheck {
  readonly path: string;
  readonly value: string;
  readonly parts: readonly string[];
  readonly rule: (part: string) => string[];
}

/** What is wrong with the first part that is; the others would say the same. */
function checkFirstBad(errors: FieldError[], { path, value, parts, rule }: PartsToCheck): void {
  const bad = parts.find((part) => rule(part).length > 0);
  if (bad === undefined) return;
  const messages = rule(bad).map((message) => `validating label ${JSON.stringify(bad)}: ${message}`);
  checkMessages(errors, path, value, messages);
}

/** Annotations of which every key has a domain. */
export function validateUserAnnotations(annotations: Readonly<Record<string, string>> | undefined, path: string): FieldError[] {
  const plain = Object.keys(annotations ?? {}).filter((key) => !key.includes("/"));
  const detail = 'must be a domain-prefixed key (such as "acme.io/foo")';
  return [...validateAnnotations(annotations, path), ...plain.map((key) => field.invalid(path, key, detail))];
}
