// Reads an AuthenticationConfiguration (apiserver.config.k8s.io): issuers, and where nobody in particular may ask.
// @see kubernetes `apiserver/pkg/apis/apiserver/validation/validation.go`
import { type FieldError, field, fieldErrorMessage } from "../../machinery/index.ts";
import { type ClaimMappingsDocument, type ClaimRuleDocument, checkClaims, type UserRuleDocument } from "./claims-configuration.ts";
import type { AuthenticationConfig } from "./create-authentication.ts";
import type { JwtAuthenticatorConfig } from "./oidc-tokens.ts";

const API_VERSIONS = ["v1", "v1beta1", "v1alpha1"].map((version) => `apiserver.config.k8s.io/${version}`);
const MAX_ISSUERS = 64;

/** The file cannot be followed as it is; the text says what to change. */
export class AuthenticationConfigurationError extends Error {
  readonly code = "AUTHENTICATION_CONFIGURATION";
}

interface IssuerDocument {
  readonly url?: string;
  readonly discoveryURL?: string;
  readonly certificateAuthority?: string;
  readonly audiences?: readonly string[];
  readonly audienceMatchPolicy?: string;
  readonly egressSelectorType?: string;
}

interface JwtDocument {
  readonly issuer?: IssuerDocument;
  readonly claimValidationRules?: readonly ClaimRuleDocument[];
  readonly claimMappings?: ClaimMappingsDocument;
  readonly userValidationRules?: readonly UserRuleDocument[];
}

interface FileDocument extends Pick<AuthenticationConfig, "anonymous"> {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly jwt?: readonly JwtDocument[];
}

/** `document` is the parsed file; `disallowedIssuers` are the server's own. Throws AuthenticationConfigurationError. */
export function authenticationConfiguration(document: unknown, disallowedIssuers: readonly string[] = []): AuthenticationConfig {
  const file = (document ?? {}) as FileDocument;
  if (!API_VERSIONS.includes(file.apiVersion ?? "") || file.kind !== "AuthenticationConfiguration") {
    throw refused(`it must be an ${API_VERSIONS[0]} AuthenticationConfiguration`);
  }
  const errors: FieldError[] = [];
  const { anonymous, jwt: documents = [] } = file;
  if (documents.length > MAX_ISSUERS) errors.push(field.tooMany("jwt", documents.length, MAX_ISSUERS));
  const jwt = documents.slice(0, MAX_ISSUERS).map(({ issuer = {}, ...claims }, index): JwtAuthenticatorConfig => {
    const path = `jwt[${index}]`;
    const others = documents.slice(0, index).map((other) => other.issuer ?? {});
    return { issuer: issuerOf(errors, `${path}.issuer`, issuer, { others, disallowedIssuers }), ...checkClaims(errors, path, claims) };
  });
  if (anonymous !== undefined && !anonymous.enabled && (anonymous.conditions?.length ?? 0) > 0) {
    const why = "enabled should be set to true when conditions are defined";
    errors.push(field.invalid("anonymous.conditions", anonymous.conditions, why));
  }
  if (errors.length > 0) throw refused(errors.map((error) => fieldErrorMessage(error)).join(", "));
  return { ...(jwt.length === 0 ? {} : { jwt }), ...(anonymous === undefined ? {} : { anonymous }) };
}

interface OtherIssuers {
  /** Those before it in the file. */
  readonly others: readonly IssuerDocument[];
  readonly disallowedIssuers: readonly string[];
}

function issuerOf(
  errors: FieldError[],
  path: string,
  issuer: IssuerDocument,
  { others, disallowedIssuers }: OtherIssuers,
): JwtAuthenticatorConfig["issuer"] {
  const { url = "", discoveryURL = "", certificateAuthority, audiences = [] } = issuer;
  if (url === "") errors.push(field.required(`${path}.url`));
  else checkUrl(errors, `${path}.url`, url);
  if (disallowedIssuers.includes(url)) {
    errors.push(field.invalid(`${path}.url`, url, `URL must not overlap with disallowed issuers: [${disallowedIssuers.join(" ")}]`));
  }
  if (others.some((other) => other.url === url)) errors.push(field.duplicate(`${path}.url`, url));
  if (discoveryURL !== "") {
    const isSame = withoutSlash(url) === withoutSlash(discoveryURL);
    if (isSame) errors.push(field.invalid(`${path}.discoveryURL`, discoveryURL, "discoveryURL must be different from URL"));
    checkUrl(errors, `${path}.discoveryURL`, discoveryURL);
    if (others.some((other) => other.discoveryURL === discoveryURL)) errors.push(field.duplicate(`${path}.discoveryURL`, discoveryURL));
  }
  checkAudiences(errors, path, issuer);
  if ((issuer.egressSelectorType ?? "") !== "") errors.push(field.forbidden(`${path}.egressSelectorType`, "there are no egress selectors"));
  return {
    url,
    audiences,
    ...(discoveryURL === "" ? {} : { discoveryURL }),
    ...(certificateAuthority === undefined ? {} : { certificateAuthority }),
  };
}

function checkUrl(errors: FieldError[], path: string, text: string): void {
  if (!URL.canParse(text)) {
    errors.push(field.invalid(path, text, "URL cannot be parsed"));
    return;
  }
  const { protocol, username, password, search, hash } = new URL(text);
  if (protocol !== "https:") errors.push(field.invalid(path, text, "URL scheme must be https"));
  if (username !== "" || password !== "") errors.push(field.invalid(path, text, "URL must not contain a username or password"));
  if (search !== "") errors.push(field.invalid(path, text, "URL must not contain a query"));
  if (hash !== "") errors.push(field.invalid(path, text, "URL must not contain a fragment"));
}

function checkAudiences(errors: FieldError[], path: string, { audiences = [], audienceMatchPolicy: policy = "" }: IssuerDocument): void {
  const audiencesPath = `${path}.audiences`;
  if (audiences.length === 0) errors.push(field.required(audiencesPath, `at least one ${audiencesPath} is required`));
  audiences.forEach((audience, index) => {
    if (audience === "") errors.push(field.required(`${audiencesPath}[${index}]`));
    if (audiences.indexOf(audience) !== index) errors.push(field.duplicate(`${audiencesPath}[${index}]`, audience));
  });
  const policyPath = `${path}.audienceMatchPolicy`;
  if (audiences.length > 1 && policy !== "MatchAny") {
    errors.push(field.invalid(policyPath, policy, "audienceMatchPolicy must be MatchAny for multiple audiences"));
  }
  if (audiences.length === 1 && policy !== "" && policy !== "MatchAny") {
    errors.push(field.invalid(policyPath, policy, "audienceMatchPolicy must be empty or MatchAny for single audience"));
  }
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, "");
}

function refused(why: string): AuthenticationConfigurationError {
  return new AuthenticationConfigurationError(`the authentication configuration: ${why}`);
}
