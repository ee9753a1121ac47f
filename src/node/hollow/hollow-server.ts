// The one HTTPS server of all hollow nodes. The Host header says which of them is meant; there are metrics and no streams.
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import type { NodeTls } from "../server/node-server.ts";
import { resourceMetrics, StatsSummary, type UsageReport } from "../server/stats-summary.ts";

export interface HollowServerOptions {
  readonly tls: NodeTls;
  /** Undefined for a node that is not of here. */
  usageOf(nodeName: string): UsageReport | undefined;
}

interface Answer {
  readonly code: number;
  readonly body: string;
  readonly contentType?: string;
}

export class HollowServer {
  readonly #options: HollowServerOptions;
  readonly #server: Server;

  constructor(options: HollowServerOptions) {
    this.#options = options;
    const { cert, key, clientCa } = options.tls;
    this.#server = createServer({ cert, key, ca: clientCa, requestCert: true, rejectUnauthorized: false, minVersion: "TLSv1.2" });
    this.#server.on("request", (request, response) => this.#answer(request, response));
    this.#server.on("upgrade", (_, socket) => socket.destroy());
  }

  /** Answers the port. */
  listen(port: number, host: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, host, () => {
        this.#server.off("error", reject);
        resolve((this.#server.address() as AddressInfo).port);
      });
    });
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { code, body, contentType = "text/plain; charset=utf-8" } = this.#answerOf(request);
    response.writeHead(code, { "Content-Type": contentType, "Content-Length": Buffer.byteLength(body) }).end(body);
  }

  #answerOf(request: IncomingMessage): Answer {
    if (!(request.socket as TLSSocket).authorized) return { code: 401, body: "Unauthorized" };
    const path = (request.url ?? "/").replace(/\?.*/, "");
    if (path === "/healthz") return { code: 200, body: "ok" };
    const report = this.#options.usageOf((request.headers.host ?? "").replace(/:\d+$/, ""));
    if (report === undefined) return { code: 404, body: "no such hollow node" };
    switch (path) {
      case "/metrics/resource":
        return { code: 200, body: resourceMetrics(report), contentType: "text/plain; version=0.0.4; charset=utf-8" };
      case "/stats/summary":
        return { code: 200, body: JSON.stringify(new StatsSummary().summary(report)), contentType: "application/json" };
      default:
        return { code: 404, body: "hollow nodes run no containers" };
    }
  }
}
