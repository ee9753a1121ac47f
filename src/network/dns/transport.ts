// One question to one name server over UDP or TCP.
import { createSocket } from "node:dgram";
import { connect } from "node:net";
import type { Clock } from "../../base/index.ts";

export interface ExchangeOptions {
  readonly protocol: "udp" | "tcp";
  readonly timeoutMs: number;
}

/** Sends a wire-format question to port 53 of `server`; resolves with the answer of the same id, rejects on timeout. */
export type Exchange = (server: string, question: Buffer, options: ExchangeOptions) => Promise<Buffer>;

const PORT = 53;

export function networkExchange(clock: Clock): Exchange {
  return (server, question, { protocol, timeoutMs }) =>
    new Promise((resolve, reject) => {
      const open = protocol === "udp" ? askUdp : askTcp;
      const close = open(server, question, {
        answered: (answer) => finish(() => resolve(answer)),
        failed: (error) => finish(() => reject(error)),
      });
      const timer = clock.setTimeout(() => finish(() => reject(new Error(`${server} did not answer within ${timeoutMs} ms`))), timeoutMs);
      function finish(settle: () => void): void {
        timer.cancel();
        close();
        settle();
      }
    });
}

interface Outcome {
  answered(answer: Buffer): void;
  failed(error: Error): void;
}

function askUdp(server: string, question: Buffer, { answered, failed }: Outcome): () => void {
  const socket = createSocket(server.includes(":") ? "udp6" : "udp4");
  let isOpen = true;
  socket.on("error", failed);
  // A connected socket takes answers from this server only.
  socket.connect(PORT, server, () => {
    if (isOpen) socket.send(question);
  });
  socket.on("message", (answer) => {
    if (answer.length > 2 && answer.readUInt16BE(0) === question.readUInt16BE(0)) answered(answer);
  });
  return () => {
    if (isOpen) socket.close();
    isOpen = false;
  };
}

function askTcp(server: string, question: Buffer, { answered, failed }: Outcome): () => void {
  const socket = connect(PORT, server, () => socket.write(withLength(question)));
  let received = Buffer.alloc(0);
  socket.on("error", failed);
  socket.on("data", (chunk) => {
    received = Buffer.concat([received, chunk]);
    if (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0))
      answered(received.subarray(2, 2 + received.readUInt16BE(0)));
  });
  return () => socket.destroy();
}

/** DNS over TCP puts two bytes of length before each message. */
export function withLength(message: Buffer): Buffer {
  const framed = Buffer.allocUnsafe(message.length + 2);
  framed.writeUInt16BE(message.length, 0);
  message.copy(framed, 2);
  return framed;
}
