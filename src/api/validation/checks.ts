// Checks that many kinds share. Each pushes what it finds wrong onto `errors`.
import { type FieldError, field, isDns1123Subdomain, isIanaServiceName } from "../../machinery/index.ts";
import { semanticEqual } from "./equal.ts";

export const notNegative = "must be greater than or equal to 0";
export const immutableField = "field is immutable";

/** `value` must not be negative; nothing is fine. */
export function checkNotNegative(errors: FieldError[], path: string, value: number | undefined): void {
  if (value !== undefined && value < 0) errors.push(field.invalid(path, value, notNegative));
}

/** `value` must equal `old`. */
export function checkImmutable(errors: FieldError[], path: string, value: unknown, old: unknown): void {
  if (!semanticEqual(value, old)) errors.push(field.invalid(path, value, immutableField));
}

/** `value` must be one of `supported`; "" and nothing are missing. */
export function checkRequiredOneOf(errors: FieldError[], path: string, value: string | undefined, supported: readonly string[]): void {
  if (value === undefined || value === "") errors.push(field.required(path));
  else if (!supported.includes(value)) errors.push(field.notSupported(path, value, supported));
}

/** `value`, when there is one, must be one of `supported`. */
export function checkOneOf(errors: FieldError[], path: string, value: string | undefined, supported: readonly string[]): void {
  if (value !== undefined && !supported.includes(value)) errors.push(field.notSupported(path, value, supported));
}

/** Every message becomes an Invalid error of `value`. */
export function checkMessages(errors: FieldError[], path: string, value: unknown, messages: readonly string[]): void {
  for (const message of messages) errors.push(field.invalid(path, value, message));
}

/** `value` must be there and satisfy `rule`. */
export function checkRequiredName(errors: FieldError[], path: string, value: string | undefined, rule: (text: string) => string[]): void {
  if (value === undefined || value === "") errors.push(field.required(path));
  else checkMessages(errors, path, value, rule(value));
}

export function checkSubdomain(errors: FieldError[], path: string, value: string | undefined): void {
  if (value !== undefined && value !== "") checkMessages(errors, path, value, isDns1123Subdomain(value));
}

export function checkPortNumber(errors: FieldError[], path: string, port: number): void {
  if (!(port >= 1 && port <= 65535)) errors.push(field.invalid(path, port, "must be between 1 and 65535, inclusive"));
}

/** A port by number or by name. */
export function checkPortNumberOrName(errors: FieldError[], path: string, port: number | string | undefined): void {
  if (typeof port === "string") checkMessages(errors, path, port, isIanaServiceName(port));
  else checkPortNumber(errors, path, port ?? 0);
}

/** A relative path that does not climb. */
export function checkLocalPath(errors: FieldError[], path: string, value: string): void {
  if (value.startsWith("/")) errors.push(field.invalid(path, value, "must be a relative path"));
  checkNoClimbing(errors, path, value);
}

export function checkNoClimbing(errors: FieldError[], path: string, value: string): void {
  if (value.split("/").includes("..")) errors.push(field.invalid(path, value, "must not contain '..'"));
}

/** A relative path that neither climbs nor starts with two dots (the kubelet's atomic writer needs those names). */
export function checkLocalNonReservedPath(errors: FieldError[], path: string, value: string): void {
  checkLocalPath(errors, path, value);
  if (value.startsWith("..") && !value.startsWith("../")) errors.push(field.invalid(path, value, "must not start with '..'"));
}

const percentPattern = /^[0-9]+%$/;

/** A whole number that is not negative, or a percentage. */
export function checkNotNegativeIntOrPercent(errors: FieldError[], path: string, value: number | string | undefined): void {
  if (typeof value === "string") {
    if (!percentPattern.test(value)) {
      errors.push(
        field.invalid(
          path,
          value,
          "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%' or '93%', regex used for validation is '[0-9]+%')",
        ),
      );
    }
  } else checkNotNegative(errors, path, value);
}

/** A percentage must not exceed 100 %. */
export function checkAtMostHundredPercent(errors: FieldError[], path: string, value: number | string | undefined): void {
  if (typeof value === "string" && percentPattern.test(value) && Number.parseInt(value, 10) > 100) {
    errors.push(field.invalid(path, value, "must not be greater than 100%"));
  }
}

/** The number that an int or percentage stands for when it is zero, else something else than zero. */
export function isZeroIntOrPercent(value: number | string | undefined): boolean {
  return typeof value === "string" ? Number.parseInt(value, 10) === 0 : (value ?? 0) === 0;
}
