// Asks a kubelet to switch a connection to SPDY.
import type { IncomingMessage } from "node:http";
import { request as httpsRequest, type RequestOptions } from "node:https";
import type { Duplex } from "node:stream";
import { statusError } from "../../../machinery/index.ts";
import type { ForwardTarget } from "../forward.ts";

/** What the kubelet made of it: a connection that speaks SPDY, or an answer that says why not. */
export type Dialled = { readonly socket: Duplex; readonly head: Buffer } | { readonly refusal: IncomingMessage };

/** `protocol` is what is to be spoken over SPDY. Rejects with ServiceUnavailable when the kubelet cannot be reached. */
export function dialSpdy({ host, port, path, tls }: ForwardTarget, protocol: string): Promise<Dialled> {
  return new Promise((resolve, reject) => {
    const headers = { connection: "Upgrade", upgrade: "SPDY/3.1", "x-stream-protocol-version": protocol, "content-length": "0" };
    const options = { host, port, path, method: "POST", headers, agent: false, ...tls };
    const outgoing = httpsRequest(options as RequestOptions);
    outgoing.on("error", (error) => reject(statusError("ServiceUnavailable", `error dialing backend: ${error.message}`)));
    outgoing.on("response", (refusal) => resolve({ refusal }));
    outgoing.on("upgrade", (_answer, socket, head) => resolve({ socket, head }));
    outgoing.end();
  });
}
