// Secret: types and the keys they need, stringData, immutability.
import { type FieldError, field, isConfigMapKey } from "../../machinery/index.ts";
import { ageColumn, column, integerColumn, nameColumn } from "../printing/columns.ts";
import type { KindStrategy } from "../strategy.ts";
import type { Secret } from "../types/core/v1.ts";
import { checkImmutable, checkMessages } from "../validation/checks.ts";
import { semanticEqual } from "../validation/equal.ts";
import { base64Bytes, immutableMessage, maxDataBytes } from "./config-map.ts";

const serviceAccountName = "kubernetes.io/service-account.name";

function applyDefaults(secret: Secret): void {
  secret.type ||= "Opaque";
  if (!secret.stringData) return;
  secret.data ??= {};
  for (const key in secret.stringData) secret.data[key] = Buffer.from(secret.stringData[key] ?? "").toString("base64");
  delete secret.stringData;
}

function requireKey(errors: FieldError[], secret: Secret, key: string): string | undefined {
  const value = secret.data?.[key];
  if (value === undefined) errors.push(field.required(`data[${key}]`));
  return value;
}

function checkJsonKey(errors: FieldError[], secret: Secret, key: string): void {
  const value = requireKey(errors, secret, key);
  if (value === undefined) return;
  try {
    JSON.parse(Buffer.from(value, "base64").toString());
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    errors.push(field.invalid(`data[${key}]`, "<secret contents redacted>", error.message));
  }
}

type TypeRule = (errors: FieldError[], secret: Secret) => void;

/** What each type of secret must hold. */
const typeRules: Readonly<Record<string, TypeRule>> = {
  "kubernetes.io/service-account-token": (errors, secret) => {
    if (!secret.metadata.annotations?.[serviceAccountName]) errors.push(field.required(`metadata.annotations[${serviceAccountName}]`));
  },
  "kubernetes.io/dockercfg": (errors, secret) => checkJsonKey(errors, secret, ".dockercfg"),
  "kubernetes.io/dockerconfigjson": (errors, secret) => checkJsonKey(errors, secret, ".dockerconfigjson"),
  "kubernetes.io/basic-auth": (errors, secret) => {
    if (secret.data?.["username"] !== undefined || secret.data?.["password"] !== undefined) return;
    errors.push(field.required("data[username]"), field.required("data[password]"));
  },
  "kubernetes.io/ssh-auth": (errors, secret) => {
    if (!secret.data?.["ssh-privatekey"]) errors.push(field.required("data[ssh-privatekey]"));
  },
  "kubernetes.io/tls": (errors, secret) => {
    requireKey(errors, secret, "tls.crt");
    requireKey(errors, secret, "tls.key");
  },
};

function validate(secret: Secret): FieldError[] {
  const errors: FieldError[] = [];
  let total = 0;
  for (const key in secret.data) {
    checkMessages(errors, `data[${key}]`, key, isConfigMapKey(key));
    total += base64Bytes(secret.data[key] ?? "");
  }
  if (total > maxDataBytes) errors.push(field.tooLong("data", maxDataBytes));
  typeRules[secret.type ?? ""]?.(errors, secret);
  return errors;
}

function validateUpdate(secret: Secret, old: Secret): FieldError[] {
  const errors: FieldError[] = [];
  checkImmutable(errors, "type", secret.type, old.type);
  if (!old.immutable) return errors;
  if (!secret.immutable) errors.push(field.forbidden("immutable", immutableMessage));
  if (!semanticEqual(secret.data, old.data)) errors.push(field.forbidden("data", immutableMessage));
  return errors;
}

export const secretStrategy: KindStrategy<Secret> = {
  applyDefaults,
  prepareForUpdate(secret, old) {
    secret.type ||= old.type;
  },
  validate,
  validateUpdate,
  columns: [
    nameColumn,
    column("Type", (secret) => secret.type ?? ""),
    integerColumn("Data", (secret) => Object.keys(secret.data ?? {}).length),
    ageColumn,
  ],
  selectableFields: { type: (secret) => secret.type ?? "" },
};
