// What a refused request means: the server's Status, or one made from the code when a proxy answered.

import type { Status } from "../../machinery/index.ts";
import { reasonCodes, StatusError, type StatusReason } from "../../machinery/index.ts";

/** Enough of a foreign answer to recognise it. */
const MAX_TEXT = 2048;

export function errorOf(code: number, text: string): StatusError {
  return new StatusError(parseStatus(text) ?? foreignStatus(code, text));
}

function parseStatus(text: string): Status | undefined {
  try {
    const body = JSON.parse(text) as Partial<Status> | null;
    return body?.kind === "Status" ? { metadata: {}, ...body } : undefined;
  } catch {
    return undefined;
  }
}

function foreignStatus(code: number, text: string): Status {
  const reasons = Object.keys(reasonCodes) as StatusReason[];
  const reason = reasons.find((candidate) => reasonCodes[candidate] === code);
  const message = text.trim().slice(0, MAX_TEXT) || `the server answered with code ${code}`;
  return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, ...(reason === undefined ? {} : { reason }), code };
}
