// Follows a watch line by line.
import { type ApiList, call } from "./api.ts";
import type { Connection } from "./connection.ts";

/** Watches what is below `path` from now on; `onLine` gets the JSON text of every event. Closing the connection ends it. */
export async function watchLines(connection: Connection, path: string, onLine: (line: string) => void): Promise<void> {
  const { metadata } = await call<ApiList>(connection, { method: "GET", path: `${path}?limit=1` }, 200);
  let carry = "";
  const onData = (part: Buffer) => {
    const lines = (carry + part.toString("latin1")).split("\n");
    carry = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  };
  connection.stream(`${path}?watch=1&resourceVersion=${metadata.resourceVersion}`, onData).catch(() => {});
}

/** The text between `before` and the next quotation mark. */
export function textAfter(line: string, before: string): string | undefined {
  const start = line.indexOf(before);
  if (start < 0) return undefined;
  return line.slice(start + before.length, line.indexOf('"', start + before.length));
}

/** Resolves with `promise`, or rejects when it takes too long. */
export async function within<T>(seconds: number, what: string, promise: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`${what} took longer than ${seconds} s`)), seconds * 1000);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
