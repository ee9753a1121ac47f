// What of an AuthenticationConfiguration (apiserver.config.k8s.io) the server follows, and a sentence for what it cannot.
import type { AuthenticationConfig } from "./create-authentication.ts";
import type { JwtAuthenticatorConfig } from "./oidc-tokens.ts";

const API_VERSIONS = ["apiserver.config.k8s.io/v1", "apiserver.config.k8s.io/v1beta1"];

/** The file cannot be followed as it is; the text says what to change. */
export class AuthenticationConfigurationError extends Error {
  readonly code = "AUTHENTICATION_CONFIGURATION";
}

interface ClaimOrExpression {
  readonly claim?: string;
  readonly prefix?: string;
  readonly expression?: string;
}

interface JwtDocument {
  readonly issuer?: Partial<JwtAuthenticatorConfig["issuer"]> & {
    readonly audienceMatchPolicy?: string;
    readonly egressSelectorType?: string;
  };
  readonly claimValidationRules?: readonly { readonly claim?: string; readonly requiredValue?: string; readonly expression?: string }[];
  readonly claimMappings?: {
    readonly username?: ClaimOrExpression;
    readonly groups?: ClaimOrExpression;
    readonly uid?: ClaimOrExpression;
    readonly extra?: readonly unknown[];
  };
  readonly userValidationRules?: readonly unknown[];
}

/** `document` is the parsed file. Throws AuthenticationConfigurationError. */
export function authenticationConfiguration(document: unknown): AuthenticationConfig {
  const file = (document ?? {}) as { apiVersion?: string; kind?: string; jwt?: readonly JwtDocument[] } & Pick<
    AuthenticationConfig,
    "anonymous"
  >;
  if (!API_VERSIONS.includes(file.apiVersion ?? "") || file.kind !== "AuthenticationConfiguration") {
    throw refused(`it must be an ${API_VERSIONS[0]} AuthenticationConfiguration`);
  }
  const jwt = (file.jwt ?? []).map((one, index) => jwtAuthenticator(one, `jwt[${index}]`));
  const urls = jwt.map(({ issuer }) => issuer.url);
  const twice = urls.find((url, index) => urls.indexOf(url) !== index);
  if (twice !== undefined) throw refused(`two authenticators have the issuer ${twice}`);
  const { anonymous } = file;
  if (anonymous !== undefined && !anonymous.enabled && (anonymous.conditions?.length ?? 0) > 0) {
    throw refused("anonymous: enabled should be set to true when conditions are defined");
  }
  return { ...(jwt.length === 0 ? {} : { jwt }), ...(anonymous === undefined ? {} : { anonymous }) };
}

function jwtAuthenticator(jwt: JwtDocument, path: string): JwtAuthenticatorConfig {
  const { issuer = {}, claimMappings = {}, claimValidationRules = [], userValidationRules = [] } = jwt;
  if (userValidationRules.length > 0 || (claimMappings.extra?.length ?? 0) > 0) throw unsupported(`${path}: expressions`);
  const { url = "", discoveryURL, certificateAuthority, audiences = [] } = issuer;
  for (const [name, text] of [
    ["url", url],
    ["discoveryURL", discoveryURL ?? url],
  ] as const) {
    if (!URL.canParse(text) || new URL(text).protocol !== "https:") throw refused(`${path}.issuer.${name} must be an https URL`);
  }
  if (audiences.length === 0) throw refused(`${path}.issuer.audiences: at least one audience is required`);
  const { groups, uid } = claimMappings;
  return {
    issuer: {
      url,
      audiences,
      ...(discoveryURL === undefined ? {} : { discoveryURL }),
      ...(certificateAuthority === undefined ? {} : { certificateAuthority }),
    },
    claimValidationRules: claimValidationRules.map(({ claim = "", requiredValue = "", expression }, index) => {
      if (expression !== undefined || claim === "") throw unsupported(`${path}.claimValidationRules[${index}]: expressions`);
      return { claim, requiredValue };
    }),
    claimMappings: {
      username: mapping(claimMappings.username, `${path}.claimMappings.username`),
      ...(groups === undefined ? {} : { groups: mapping(groups, `${path}.claimMappings.groups`) }),
      ...(uid === undefined ? {} : { uid: { claim: claimOf(uid, `${path}.claimMappings.uid`) } }),
    },
  };
}

/** The prefix must be told, even if it is none: forgetting it would let an issuer name the server's own users. */
function mapping(given: ClaimOrExpression | undefined, path: string): { claim: string; prefix: string } {
  const claim = claimOf(given, path);
  if (given?.prefix === undefined) throw refused(`${path}.prefix is required when claim is set; "" is none`);
  return { claim, prefix: given.prefix };
}

function claimOf(given: ClaimOrExpression | undefined, path: string): string {
  if (given?.expression !== undefined) throw unsupported(`${path}: expressions`);
  if (given?.claim === undefined || given.claim === "") throw refused(`${path}.claim is required`);
  return given.claim;
}

function refused(why: string): AuthenticationConfigurationError {
  return new AuthenticationConfigurationError(`the authentication configuration: ${why}`);
}

function unsupported(what: string): AuthenticationConfigurationError {
  return refused(`${what} are not supported; use claims`);
}
