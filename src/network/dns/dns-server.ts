// The cluster's DNS server: UDP and TCP sockets around a Responder.
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { Logger } from "../../base/index.ts";
import type { Responder } from "./responder.ts";
import { withLength } from "./transport.ts";

export interface DnsServerOptions {
  readonly responder: Responder;
  readonly address: string;
  /** 0 takes any free port (the same for UDP and TCP is not promised then). */
  readonly port: number;
  readonly logger: Logger;
}

/** A TCP client that sends nothing for so long is let go. */
const IDLE_MS = 10_000;

export class DnsServer {
  readonly #options: DnsServerOptions;
  readonly #connections = new Set<Socket>();
  #udp: UdpSocket | undefined;
  #tcp: Server | undefined;
  #isClosed = false;

  constructor(options: DnsServerOptions) {
    this.#options = options;
  }

  /** Resolves when both sockets are bound; rejects when one cannot be. */
  async listen(): Promise<{ readonly udpPort: number; readonly tcpPort: number }> {
    const { address, port } = this.#options;
    const isIpv6 = address.includes(":");
    // Clients are addresses already: nothing is to be looked up for them.
    const lookup = (host: string, _: unknown, found: (error: null, address: string, family: number) => void) =>
      found(null, host, isIpv6 ? 6 : 4);
    const udp = createSocket({ type: isIpv6 ? "udp6" : "udp4", lookup });
    const tcp = createServer((socket) => this.#serve(socket));
    this.#udp = udp;
    this.#tcp = tcp;
    udp.on("message", (message, from) => this.#answerUdp(udp, message, from));
    const listening = Promise.all([once(udp, "listening"), once(tcp, "listening")]);
    udp.bind(port, address);
    tcp.listen(port, address);
    await listening;
    udp.on("error", (error) => this.#options.logger.error("DNS socket failed", { error: error.message }));
    return { udpPort: udp.address().port, tcpPort: (tcp.address() as AddressInfo).port };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const connection of this.#connections) connection.destroy();
    const closed = [
      this.#udp === undefined ? undefined : once(this.#udp, "close"),
      this.#tcp === undefined ? undefined : once(this.#tcp, "close"),
    ];
    this.#udp?.close();
    this.#tcp?.close();
    await Promise.all(closed);
  }

  /** What is known is answered at once: a promise for each of many thousand questions a second is felt. */
  #answerUdp(socket: UdpSocket, message: Buffer, from: { readonly address: string; readonly port: number }): void {
    const send = (answer: Buffer | undefined) => this.#sendUdp(socket, answer, from);
    const answer = this.#respond(message, "udp");
    if (answer instanceof Promise) void answer.then(send);
    else send(answer);
  }

  #sendUdp(socket: UdpSocket, answer: Buffer | undefined, from: { readonly address: string; readonly port: number }): void {
    if (answer === undefined || this.#isClosed) return;
    socket.send(answer, from.port, from.address, (error) => {
      if (error !== null) this.#options.logger.debug("DNS answer was not sent", { error: error.message });
    });
  }

  #serve(socket: Socket): void {
    this.#connections.add(socket);
    let received = Buffer.alloc(0);
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#connections.delete(socket));
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const end = 2 + received.readUInt16BE(0);
        void this.#answerTcp(socket, received.subarray(2, end));
        received = received.subarray(end);
      }
    });
  }

  async #answerTcp(socket: Socket, message: Buffer): Promise<void> {
    const answer = await this.#respond(message, "tcp");
    if (answer === undefined) socket.destroy();
    else if (socket.writable) socket.write(withLength(answer));
  }

  #respond(message: Buffer, protocol: "udp" | "tcp"): Buffer | undefined | Promise<Buffer | undefined> {
    const failed = (error: unknown) => {
      this.#options.logger.warn("DNS question failed", { error: String(error) });
      return undefined;
    };
    try {
      const answer = this.#options.responder.respond(message, protocol);
      return answer instanceof Promise ? answer.catch(failed) : answer;
    } catch (error) {
      return failed(error);
    }
  }
}
