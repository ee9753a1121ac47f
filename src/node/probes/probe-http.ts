// httpGet probes.
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { HTTPGetAction } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import type { ProbeOutcome } from "./prober.ts";

export const USER_AGENT = "kube-probe/1.36";
const MAX_REDIRECTS = 10;
/** What is kept of a body for the event. */
const MAX_BODY_BYTES = 10 * 1024;

/** The address that an action means; IPv6 hosts get their brackets. */
export function probeUrl(action: DeepReadonly<HTTPGetAction>, host: string, port: number): URL {
  const scheme = (action.scheme ?? "HTTP").toLowerCase();
  const path = action.path === undefined || action.path === "" ? "/" : action.path;
  return new URL(`${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}${path.startsWith("/") ? path : `/${path}`}`);
}

/** Rejects with the connection's error, or with the signal's reason. */
export async function probeHttp(url: URL, headers: DeepReadonly<HTTPGetAction>["httpHeaders"], signal: AbortSignal): Promise<ProbeOutcome> {
  const sent = headersOf(headers);
  let target = url;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const response = await get(target, sent, signal);
    const { statusCode = 0 } = response;
    const body = await readBody(response);
    const { location } = response.headers;
    if (statusCode >= 300 && statusCode < 400 && location !== undefined) {
      const next = new URL(location, target);
      if (next.hostname === url.hostname) {
        target = next;
        continue;
      }
      // Whoever answers on another host is not the container; that it redirects is enough.
      return { result: "success", output: `Probe terminated redirects, Response body: ${body}` };
    }
    const isSuccess = statusCode >= 200 && statusCode < 400;
    return isSuccess
      ? { result: "success", output: body }
      : { result: "failure", output: `HTTP probe failed with statuscode: ${statusCode}` };
  }
  return { result: "failure", output: `Get "${url.href}": stopped after ${MAX_REDIRECTS} redirects` };
}

function headersOf(headers: DeepReadonly<HTTPGetAction>["httpHeaders"]): Record<string, string[] | string> {
  const sent: Record<string, string[] | string> = {};
  const names = new Set<string>();
  for (const { name, value } of headers ?? []) {
    const known = sent[name];
    // One Host only.
    sent[name] = known === undefined || name.toLowerCase() === "host" ? value : [known, value].flat();
    names.add(name.toLowerCase());
  }
  if (!names.has("user-agent")) sent["User-Agent"] = USER_AGENT;
  if (!names.has("accept")) sent["Accept"] = "*/*";
  return sent;
}

function get(url: URL, headers: Record<string, string[] | string>, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const options = { headers, signal, agent: false, rejectUnauthorized: false };
    const request = (url.protocol === "https:" ? httpsRequest : httpRequest)(url, options, resolve);
    request.once("error", (error) => reject(signal.aborted ? signal.reason : error));
    request.end();
  });
}

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= MAX_BODY_BYTES) break;
  }
  return Buffer.concat(chunks).subarray(0, MAX_BODY_BYTES).toString();
}
