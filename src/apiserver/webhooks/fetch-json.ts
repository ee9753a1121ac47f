// JSON from another HTTPS server that is trusted by a CA of its own: OIDC issuers, webhooks that authenticate and authorise.
import { request } from "node:https";
import type { Clock } from "../../base/index.ts";

/** Answers larger than this are refused. */
const MAX_ANSWER_BYTES = 1024 * 1024;

export interface JsonRequest {
  readonly url: string;
  /** PEM; the system's CAs when absent. */
  readonly ca?: string | undefined;
  readonly bearerToken?: string | undefined;
  readonly clientCertificate?: { readonly cert: string | Buffer; readonly key: string | Buffer } | undefined;
  /** Sent with POST. */
  readonly body?: unknown;
  readonly timeoutMs: number;
}

export type JsonFetcher = (request: JsonRequest) => Promise<unknown>;

/** The server answered, but not with success. */
export class FetchError extends Error {
  readonly code = "FETCH_FAILED";
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

/** Fetches over HTTPS; rejects unless the answer is 2xx and JSON. */
export function jsonFetcher(clock: Pick<Clock, "setTimeout">): JsonFetcher {
  return ({ url, ca, bearerToken, clientCertificate, body, timeoutMs }) =>
    new Promise((resolve, reject) => {
      const headers = {
        accept: "application/json",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(bearerToken === undefined ? {} : { authorization: `Bearer ${bearerToken}` }),
      };
      const method = body === undefined ? "GET" : "POST";
      const options = { method, headers, ...(ca === undefined ? {} : { ca }), ...clientCertificate };
      const outgoing = request(url, options, (answer) => {
        const chunks: Buffer[] = [];
        let size = 0;
        answer.on("data", (chunk: Buffer) => {
          size += chunk.byteLength;
          if (size > MAX_ANSWER_BYTES) outgoing.destroy(new Error("the answer is too large"));
          else chunks.push(chunk);
        });
        answer.on("error", reject);
        answer.on("end", () => {
          const code = answer.statusCode ?? 0;
          if (code < 200 || code > 299) reject(new FetchError(`${method} ${url}: ${code}`, code));
          else resolveJson(Buffer.concat(chunks), resolve, reject);
        });
      });
      const timer = clock.setTimeout(() => outgoing.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
      outgoing.on("error", reject);
      outgoing.on("close", () => timer.cancel());
      outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    });
}

function resolveJson(bytes: Buffer, resolve: (value: unknown) => void, reject: (error: unknown) => void): void {
  try {
    resolve(JSON.parse(bytes.toString("utf8")));
  } catch (error) {
    reject(error);
  }
}
