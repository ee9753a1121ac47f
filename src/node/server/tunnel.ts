// Passes an upgraded connection on to the runtime's streaming server, byte for byte: SPDY or WebSocket, agreed to or
// refused, is between the two ends.
import type { IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Clock } from "../../base/index.ts";

/** How long one end may go on after the other has closed. */
const HALF_CLOSED_MS = 30_000;

/** Not for the runtime: who asks, and what this connection was about. */
const OWN_HEADERS: ReadonlySet<string> = new Set(["host", "authorization", "x-forwarded-for"]);

/** The request again, as it goes to `url`. */
export function requestHead(request: Pick<IncomingMessage, "method" | "rawHeaders">, url: URL): string {
  const lines = [`${request.method ?? "GET"} ${url.pathname}${url.search} HTTP/1.1`, `Host: ${url.host}`];
  for (let index = 0; index + 1 < request.rawHeaders.length; index += 2) {
    const name = request.rawHeaders[index] ?? "";
    if (!OWN_HEADERS.has(name.toLowerCase())) lines.push(`${name}: ${request.rawHeaders[index + 1]}`);
  }
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** Rejects when `url` cannot be connected to; else resolves when both ends are closed. */
export async function tunnel(request: IncomingMessage, client: Duplex, head: Buffer, options: { url: URL; clock: Clock }): Promise<void> {
  const { url, clock } = options;
  const runtime = await dial(url);
  runtime.write(requestHead(request, url));
  if (head.length > 0) runtime.write(head);
  client.pipe(runtime);
  runtime.pipe(client);
  await closed(client, runtime, clock);
}

function dial(url: URL): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: url.hostname, port: Number(url.port), allowHalfOpen: true, noDelay: true });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
  });
}

/** Ends one side when the other has broken, or has been closed for long enough. */
function closed(client: Duplex, runtime: Duplex, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const destroy = () => {
      client.destroy();
      runtime.destroy();
    };
    let open = 2;
    for (const end of [client, runtime]) {
      const other = end === client ? runtime : client;
      end.once("error", destroy);
      end.once("end", () => {
        const timer = clock.setTimeout(destroy, HALF_CLOSED_MS);
        other.once("close", () => timer.cancel());
      });
      end.once("close", () => {
        // What it sent is on its way to the other end; nothing more will come.
        other.end();
        open--;
        if (open === 0) resolve();
      });
    }
  });
}
