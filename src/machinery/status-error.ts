// The one error that leaves the API server: a Kubernetes Status. Reason and HTTP code stand in one table.
import { type FieldError, fieldErrorMessage } from "./field-error.ts";
import type { Status, StatusCause, StatusDetails } from "./meta/types.ts";

/** metav1.StatusReason → HTTP code. */
export const reasonCodes = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  AlreadyExists: 409,
  Conflict: 409,
  Gone: 410,
  Expired: 410,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  Invalid: 422,
  TooManyRequests: 429,
  InternalError: 500,
  ServiceUnavailable: 503,
  ServerTimeout: 500,
  StoreReadError: 500,
  Timeout: 504,
} as const;

export type StatusReason = keyof typeof reasonCodes;

export interface GroupResourceName {
  readonly group: string;
  readonly resource: string;
}

export class StatusError extends Error {
  readonly status: Status;

  constructor(status: Status, options?: ErrorOptions) {
    super(status.message ?? status.reason ?? "unknown error", options);
    this.status = status;
  }

  get code(): number {
    return this.status.code ?? 500;
  }

  get reason(): string {
    return this.status.reason ?? "";
  }
}

/** A Failure status with `reason`'s code. */
export function statusError(reason: StatusReason, message: string, details?: StatusDetails, options?: ErrorOptions): StatusError {
  const status: Status = {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message,
    reason,
    ...(details === undefined ? {} : { details }),
    code: reasonCodes[reason],
  };
  return new StatusError(status, options);
}

/** `pods`, or `deployments.apps`: how messages name a resource. */
export function qualifiedResource({ group, resource }: GroupResourceName): string {
  return group === "" ? resource : `${resource}.${group}`;
}

function detailsOf({ group, resource }: GroupResourceName, name: string): StatusDetails {
  return { ...(name === "" ? {} : { name }), ...(group === "" ? {} : { group }), kind: resource };
}

export function notFound(resource: GroupResourceName, name: string): StatusError {
  return statusError("NotFound", `${qualifiedResource(resource)} "${name}" not found`, detailsOf(resource, name));
}

export function alreadyExists(resource: GroupResourceName, name: string): StatusError {
  return statusError("AlreadyExists", `${qualifiedResource(resource)} "${name}" already exists`, detailsOf(resource, name));
}

export function conflict(resource: GroupResourceName, name: string, why: string): StatusError {
  return statusError(
    "Conflict",
    `Operation cannot be fulfilled on ${qualifiedResource(resource)} "${name}": ${why}`,
    detailsOf(resource, name),
  );
}

/** The conflict that a stale resourceVersion gets. */
export function objectModified(resource: GroupResourceName, name: string): StatusError {
  return conflict(resource, name, "the object has been modified; please apply your changes to the latest version and try again");
}

export function forbidden(resource: GroupResourceName, name: string, why: string): StatusError {
  const subject = name === "" ? `${qualifiedResource(resource)} is forbidden` : `${qualifiedResource(resource)} "${name}" is forbidden`;
  return statusError("Forbidden", `${subject}: ${why}`, detailsOf(resource, name));
}

/** A validation failure of the object `name` of `kind` in `group`. */
export function invalid(kind: { readonly group: string; readonly kind: string }, name: string, errors: readonly FieldError[]): StatusError {
  const causes: StatusCause[] = errors.map((error) => ({
    reason: error.type,
    message: fieldErrorMessage(error, { withPath: false }),
    field: error.path,
  }));
  const texts = [...new Set(errors.map((error) => fieldErrorMessage(error)))];
  const text = texts.length === 1 ? texts[0] : `[${texts.join(", ")}]`;
  const qualifiedKind = kind.group === "" ? kind.kind : `${kind.kind}.${kind.group}`;
  return statusError("Invalid", `${qualifiedKind} "${name}" is invalid: ${text}`, {
    ...(name === "" ? {} : { name }),
    ...(kind.group === "" ? {} : { group: kind.group }),
    kind: kind.kind,
    causes,
  });
}

export function badRequest(message: string): StatusError {
  return statusError("BadRequest", message);
}

export function internalError(cause: unknown): StatusError {
  const text = cause instanceof Error ? cause.message : String(cause);
  return statusError("InternalError", `Internal error occurred: ${text}`, { causes: [{ message: text }] }, { cause });
}

export function unauthorized(): StatusError {
  return statusError("Unauthorized", "Unauthorized");
}

/** A watch or a continue token asks for history that is gone. */
export function expired(message: string): StatusError {
  return statusError("Expired", message);
}

function hasReason(error: unknown, ...reasons: StatusReason[]): boolean {
  return error instanceof StatusError && reasons.includes(error.reason as StatusReason);
}

export const isNotFound = (error: unknown): boolean => hasReason(error, "NotFound");
export const isAlreadyExists = (error: unknown): boolean => hasReason(error, "AlreadyExists");
export const isConflict = (error: unknown): boolean => hasReason(error, "Conflict");
export const isInvalid = (error: unknown): boolean => hasReason(error, "Invalid");
export const isForbidden = (error: unknown): boolean => hasReason(error, "Forbidden");
export const isExpired = (error: unknown): boolean => hasReason(error, "Expired", "Gone");
export const isTooManyRequests = (error: unknown): boolean => hasReason(error, "TooManyRequests");
