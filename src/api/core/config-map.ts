// ConfigMap: keys, size, immutability.
import { type FieldError, field, isConfigMapKey } from "../../machinery/index.ts";
import { ageColumn, integerColumn, nameColumn } from "../printing/columns.ts";
import type { KindStrategy } from "../strategy.ts";
import type { ConfigMap } from "../types/core/v1.ts";
import { checkMessages } from "../validation/checks.ts";
import { semanticEqual } from "../validation/equal.ts";

/** What a config map or secret may hold. */
export const maxDataBytes = 1024 * 1024;
export const immutableMessage = "field is immutable when `immutable` is set";

/** The bytes that a base64 text stands for. */
export function base64Bytes(text: string): number {
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  return Math.floor((text.length * 3) / 4) - padding;
}

function validate({ data, binaryData }: ConfigMap): FieldError[] {
  const errors: FieldError[] = [];
  let total = 0;
  for (const key in data) {
    checkMessages(errors, `data[${key}]`, key, isConfigMapKey(key));
    if (binaryData && key in binaryData) {
      errors.push(field.invalid(`data[${key}]`, key, "duplicate of key present in binaryData"));
    }
    total += Buffer.byteLength(data[key] ?? "");
  }
  for (const key in binaryData) {
    checkMessages(errors, `binaryData[${key}]`, key, isConfigMapKey(key));
    total += base64Bytes(binaryData[key] ?? "");
  }
  if (total > maxDataBytes) errors.push(field.tooLong("", maxDataBytes));
  return errors;
}

export const configMapStrategy: KindStrategy<ConfigMap> = {
  validate,
  validateUpdate(configMap, old) {
    const errors: FieldError[] = [];
    if (!old.immutable) return errors;
    if (!configMap.immutable) errors.push(field.forbidden("immutable", immutableMessage));
    if (!semanticEqual(configMap.data, old.data)) errors.push(field.forbidden("data", immutableMessage));
    if (!semanticEqual(configMap.binaryData, old.binaryData)) errors.push(field.forbidden("binaryData", immutableMessage));
    return errors;
  },
  columns: [
    nameColumn,
    integerColumn("Data", ({ data = {}, binaryData = {} }) => Object.keys(data).length + Object.keys(binaryData).length),
    ageColumn,
  ],
};
