// Reads an AuthorizationConfiguration (apiserver.config.k8s.io): which authorizers are asked, in which order.
import { CelCompileError, CelDuration } from "../../machinery/cel/index.ts";
import { type FieldError, field, fieldErrorMessage, isDns1123Subdomain } from "../../machinery/index.ts";
import type { CompiledCondition } from "../admission/matching/match-conditions.ts";
import { conditionEnvironment } from "./subject-access-review.ts";
import type { WebhookAuthorizerConfig } from "./webhook-authorizer.ts";

const API_VERSIONS = ["apiserver.config.k8s.io/v1", "apiserver.config.k8s.io/v1beta1", "apiserver.config.k8s.io/v1alpha1"];
const TYPES = ["Node", "RBAC", "Webhook"];
const MAX_CONDITIONS = 64;
const MAX_TIMEOUT_MS = 30_000;

/** In the order in which they are asked. */
export type AuthorizerConfig = { readonly type: "Node" | "RBAC" } | { readonly type: "Webhook"; readonly webhook: WebhookAuthorizerConfig };

/** The file cannot be followed as it is; the text says what is wrong with which field. */
export class AuthorizationConfigurationError extends Error {
  readonly code = "AUTHORIZATION_CONFIGURATION";
}

interface WebhookDocument {
  readonly authorizedTTL?: string;
  readonly cacheAuthorizedRequests?: boolean;
  readonly unauthorizedTTL?: string;
  readonly cacheUnauthorizedRequests?: boolean;
  readonly timeout?: string;
  readonly subjectAccessReviewVersion?: string;
  readonly matchConditionSubjectAccessReviewVersion?: string;
  readonly failurePolicy?: string;
  readonly connectionInfo?: { readonly type?: string; readonly kubeConfigFile?: string };
  readonly matchConditions?: readonly { readonly expression?: string }[];
}

interface AuthorizerDocument {
  readonly type?: string;
  readonly name?: string;
  readonly webhook?: WebhookDocument;
}

/** Reads the kubeconfig of a webhook; throws when that cannot be done. */
export type ConnectionReader = (kubeConfigFile: string) => WebhookAuthorizerConfig["connection"];

/** `document` is the parsed file. Throws AuthorizationConfigurationError. */
export function authorizationConfiguration(document: unknown, readConnection: ConnectionReader): AuthorizerConfig[] {
  const file = (document ?? {}) as { apiVersion?: string; kind?: string; authorizers?: readonly AuthorizerDocument[] };
  if (!API_VERSIONS.includes(file.apiVersion ?? "") || file.kind !== "AuthorizationConfiguration") {
    throw new AuthorizationConfigurationError(
      `the authorization configuration: it must be an ${API_VERSIONS[0]} AuthorizationConfiguration`,
    );
  }
  const errors: FieldError[] = [];
  const authorizers = file.authorizers ?? [];
  if (authorizers.length === 0) errors.push(field.required("authorizers", "at least one authorization mode must be defined"));
  const configs = authorizers.flatMap((one, index) => {
    const path = `authorizers[${index}]`;
    const isFit = checkAuthorizer(errors, path, one, authorizers.slice(0, index));
    return isFit ? (configOf(errors, path, one, readConnection) ?? []) : [];
  });
  if (errors.length === 0) return configs;
  const problems = errors.map((error) => fieldErrorMessage(error)).join(", ");
  throw new AuthorizationConfigurationError(`the authorization configuration: ${problems}`);
}

/** Whether the type is one that can be looked at further. */
function checkAuthorizer(
  errors: FieldError[],
  path: string,
  { type = "", name = "", webhook }: AuthorizerDocument,
  others: readonly AuthorizerDocument[],
): boolean {
  const count = errors.length;
  if (type === "") errors.push(field.required(`${path}.type`));
  else if (!TYPES.includes(type)) errors.push(field.notSupported(`${path}.type`, type, TYPES));
  else if (type !== "Webhook" && others.some((other) => other.type === type)) errors.push(field.duplicate(`${path}.type`, type));
  if (errors.length > count) return false;
  const problems = isDns1123Subdomain(name);
  if (name === "") errors.push(field.required(`${path}.name`));
  else if (others.some((other) => other.name === name)) errors.push(field.duplicate(`${path}.name`, name));
  else if (problems.length > 0) errors.push(field.invalid(`${path}.name`, name, `authorizer name is invalid: ${problems.join(", ")}`));
  if (type === "Webhook") {
    if (webhook === undefined) errors.push(field.required(`${path}.webhook`, "required when type=Webhook"));
    return webhook !== undefined;
  }
  if (webhook !== undefined) errors.push(field.invalid(`${path}.webhook`, "non-null", "may only be specified when type=Webhook"));
  return true;
}

function configOf(
  errors: FieldError[],
  path: string,
  { type, name = "", webhook }: AuthorizerDocument,
  readConnection: ConnectionReader,
): AuthorizerConfig | undefined {
  if (type === "Node" || type === "RBAC") return { type };
  if (webhook === undefined) return undefined;
  const version = oneOf(errors, `${path}.subjectAccessReviewVersion`, webhook.subjectAccessReviewVersion, ["v1", "v1beta1"]);
  const failurePolicy = oneOf(errors, `${path}.failurePolicy`, webhook.failurePolicy, ["NoOpinion", "Deny"]);
  const ttls = timesOf(errors, path, webhook);
  const conditions = conditionsOf(errors, path, webhook);
  const connection = connectionOf(errors, `${path}.connectionInfo`, webhook, readConnection);
  if (version === undefined || failurePolicy === undefined || connection === undefined) return undefined;
  return { type: "Webhook", webhook: { name, connection, version, failurePolicy, conditions, ...ttls } };
}

function oneOf<T extends string>(errors: FieldError[], path: string, value: string | undefined, known: readonly T[]): T | undefined {
  const found = known.find((candidate) => candidate === value);
  if (value === undefined || value === "") errors.push(field.required(path));
  else if (found === undefined) errors.push(field.notSupported(path, value, known));
  return found;
}

function timesOf(errors: FieldError[], path: string, webhook: WebhookDocument) {
  const { authorizedTTL = "5m", unauthorizedTTL = "30s", cacheAuthorizedRequests = true, cacheUnauthorizedRequests = true } = webhook;
  const timeoutMs = durationMs(errors, `${path}.timeout`, webhook.timeout);
  if (timeoutMs !== undefined && (timeoutMs > MAX_TIMEOUT_MS || timeoutMs < 0)) {
    errors.push(field.invalid(`${path}.timeout`, webhook.timeout, "must be > 0s and <= 30s"));
  }
  const ttlOf = (name: string, text: string) => {
    const ttlMs = durationMs(errors, `${path}.${name}`, text) ?? 0;
    if (ttlMs < 0) errors.push(field.invalid(`${path}.${name}`, text, "must be > 0s"));
    return ttlMs;
  };
  const [authorized, unauthorized] = [ttlOf("authorizedTTL", authorizedTTL), ttlOf("unauthorizedTTL", unauthorizedTTL)];
  return {
    timeoutMs: timeoutMs ?? 0,
    authorizedTtlMs: cacheAuthorizedRequests ? authorized : 0,
    unauthorizedTtlMs: cacheUnauthorizedRequests ? unauthorized : 0,
  };
}

/** Zero counts as not told. */
function durationMs(errors: FieldError[], path: string, text: string | undefined): number | undefined {
  try {
    const ms = Number(CelDuration.parse(text ?? "0").nanos) / 1e6;
    if (ms !== 0) return ms;
    errors.push(field.required(path));
  } catch (error) {
    errors.push(field.invalid(path, text, error instanceof Error ? error.message : String(error)));
  }
  return undefined;
}

function conditionsOf(errors: FieldError[], path: string, webhook: WebhookDocument): CompiledCondition[] {
  const { matchConditions = [], matchConditionSubjectAccessReviewVersion: version = "" } = webhook;
  const versionPath = `${path}.matchConditionSubjectAccessReviewVersion`;
  if (version !== "" && version !== "v1") errors.push(field.notSupported(versionPath, version, ["v1"]));
  if (version === "" && matchConditions.length > 0) {
    errors.push(field.required(versionPath, "required if match conditions are specified"));
  }
  if (matchConditions.length > MAX_CONDITIONS) {
    errors.push(field.tooMany(`${path}.matchConditions`, matchConditions.length, MAX_CONDITIONS));
    return [];
  }
  const seen = new Set<string>();
  return matchConditions.flatMap(({ expression = "" }, index) => {
    const expressionPath = `${path}.matchConditions[${index}].expression`;
    if (seen.has(expression)) errors.push(field.duplicate(expressionPath, expression));
    if (seen.has(expression)) return [];
    seen.add(expression);
    return compiled(errors, expressionPath, expression);
  });
}

function compiled(errors: FieldError[], path: string, expression: string): CompiledCondition[] {
  if (expression.trim() === "") {
    errors.push(field.required(path));
    return [];
  }
  try {
    const program = conditionEnvironment.compile(expression);
    if (program.resultType === "bool") return [{ name: "", expression, program }];
    errors.push(field.invalid(path, expression, "must evaluate to bool"));
  } catch (error) {
    if (!(error instanceof CelCompileError)) throw error;
    errors.push(field.invalid(path, expression, error.message));
  }
  return [];
}

/** A server that runs outside of pods has no in-cluster configuration. */
function connectionOf(errors: FieldError[], path: string, { connectionInfo = {} }: WebhookDocument, readConnection: ConnectionReader) {
  const { type, kubeConfigFile = "" } = connectionInfo;
  const filePath = `${path}.kubeConfigFile`;
  if (oneOf(errors, `${path}.type`, type, ["KubeConfigFile"]) === undefined) return undefined;
  if (kubeConfigFile === "") errors.push(field.required(filePath));
  else if (!kubeConfigFile.startsWith("/")) errors.push(field.invalid(filePath, kubeConfigFile, "must be an absolute path"));
  else {
    try {
      return readConnection(kubeConfigFile);
    } catch (error) {
      errors.push(field.invalid(filePath, kubeConfigFile, `error loading file: ${error instanceof Error ? error.message : String(error)}`));
    }
  }
  return undefined;
}
