// A webhook for tests: an HTTPS server on loopback that answers what a function says.
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { createTestCa } from "../../front/fake-server.ts";
import type { ServiceReference, ServiceResolver } from "../service-resolver.ts";

export interface WebhookRequest {
  readonly path: string;
  readonly body: unknown;
  /** The port of the caller's connection. */
  readonly remotePort: number;
}

/** Answers JSON; a number is a status without one; "never" leaves the caller waiting. */
export type Answering = (request: WebhookRequest) => object | number | "never" | Promise<object | number | "never">;

/** Every service resolves to it; its certificate is for 127.0.0.1 and `dnsNames`. */
export class WebhookServer implements ServiceResolver, AsyncDisposable {
  readonly requests: WebhookRequest[] = [];
  /** Base64, as configurations want it. */
  readonly caBundle: string;
  readonly port: number;
  answering: Answering = () => ({});
  readonly #server: Server;

  private constructor(server: Server, ca: string) {
    this.#server = server;
    this.caBundle = Buffer.from(ca).toString("base64");
    this.port = (server.address() as AddressInfo).port;
  }

  static async start(dnsNames: readonly string[] = ["hook.default.svc"]): Promise<WebhookServer> {
    const ca = await createTestCa();
    const listener = createServer(await ca.issue("CN=webhook", dnsNames));
    await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
    const server = new WebhookServer(listener, ca.cert);
    listener.on("request", async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const body: unknown = JSON.parse(Buffer.concat(chunks).toString());
      const seen = { path: request.url ?? "", body, remotePort: request.socket.remotePort ?? 0 };
      server.requests.push(seen);
      const answer = await server.answering(seen);
      if (answer === "never") return;
      response.statusCode = typeof answer === "number" ? answer : 200;
      response.end(typeof answer === "number" ? "no" : JSON.stringify(answer));
    });
    return server;
  }

  resolve(_reference: ServiceReference): { host: string; port: number } {
    return { host: "127.0.0.1", port: this.port };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
