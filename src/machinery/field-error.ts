// Validation results as data: a type, the path of a field, its value and a detail; rendered late, in upstream's words.

/** field.ErrorType of apimachinery, as it stands in a Status' causes. */
export type FieldErrorType =
  | "FieldValueNotFound"
  | "FieldValueRequired"
  | "FieldValueDuplicate"
  | "FieldValueInvalid"
  | "FieldValueNotSupported"
  | "FieldValueForbidden"
  | "FieldValueTooLong"
  | "FieldValueTooMany"
  | "FieldValueTypeInvalid"
  | "InternalError";

export interface FieldError {
  readonly type: FieldErrorType;
  /** Such as `spec.containers[0].image`. */
  readonly path: string;
  readonly value?: unknown;
  /** Whether the value is left out of the message although the type has one: large objects would drown it. */
  readonly omitsValue?: boolean;
  readonly detail: string;
}

const titles: Record<FieldErrorType, string> = {
  FieldValueNotFound: "Not found",
  FieldValueRequired: "Required value",
  FieldValueDuplicate: "Duplicate value",
  FieldValueInvalid: "Invalid value",
  FieldValueNotSupported: "Unsupported value",
  FieldValueForbidden: "Forbidden",
  FieldValueTooLong: "Too long",
  FieldValueTooMany: "Too many",
  FieldValueTypeInvalid: "Invalid value",
  InternalError: "Internal error",
};

const withoutValue = new Set<FieldErrorType>([
  "FieldValueRequired",
  "FieldValueForbidden",
  "FieldValueTooLong",
  "FieldValueTooMany",
  "InternalError",
]);

/** `spec.replicas: Invalid value: -1: must be greater than or equal to 0` */
export function fieldErrorMessage(error: FieldError, { withPath = true }: { withPath?: boolean } = {}): string {
  let text = titles[error.type];
  if (!withoutValue.has(error.type) && error.omitsValue !== true) text += `: ${renderValue(error.value)}`;
  if (error.detail !== "") text += `: ${error.detail}`;
  return withPath ? `${error.path === "" ? "<nil>" : error.path}: ${text}` : text;
}

function renderValue(value: unknown): string {
  if (value === undefined || value === null) return "null";
  return JSON.stringify(value);
}

export const field = {
  required: (path: string, detail = ""): FieldError => ({ type: "FieldValueRequired", path, detail }),
  invalid: (path: string, value: unknown, detail: string): FieldError => ({ type: "FieldValueInvalid", path, value, detail }),
  typeInvalid: (path: string, value: unknown, detail: string): FieldError => ({ type: "FieldValueTypeInvalid", path, value, detail }),
  duplicate: (path: string, value: unknown): FieldError => ({ type: "FieldValueDuplicate", path, value, detail: "" }),
  forbidden: (path: string, detail: string): FieldError => ({ type: "FieldValueForbidden", path, detail }),
  notFound: (path: string, value: unknown): FieldError => ({ type: "FieldValueNotFound", path, value, detail: "" }),
  notSupported: (path: string, value: unknown, supported: readonly string[]): FieldError => ({
    type: "FieldValueNotSupported",
    path,
    value,
    detail: `supported values: ${supported.map((item) => JSON.stringify(item)).join(", ")}`,
  }),
  tooLong: (path: string, maxLength: number): FieldError => ({
    type: "FieldValueTooLong",
    path,
    detail: `may not be more than ${maxLength} bytes`,
  }),
  tooMany: (path: string, actual: number, maxItems: number): FieldError => ({
    type: "FieldValueTooMany",
    path,
    detail: `${actual}: must have at most ${maxItems} items`,
  }),
};
