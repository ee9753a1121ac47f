// exec and attach for clients that speak version 5 of the WebSocket protocol: kubelets are spoken to in SPDY, whose streams
// can be closed one by one, as version 5 can and older ones cannot.
// @see kubernetes `apiserver/pkg/util/proxy/streamtranslator.go`
import type { Duplex } from "node:stream";
import { type RawData, WebSocket } from "ws";
import { SpdyConnection, type SpdyStream } from "./spdy-connection.ts";

export const REMOTE_COMMAND_V5 = "v5.channel.k8s.io";
/** What the streams of a command are over SPDY. */
export const SPDY_REMOTE_COMMAND = "v4.channel.k8s.io";

/** The channels of a message's first byte. */
const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const ERROR = 3;
const RESIZE = 4;
/** Says that the channel in the second byte is closed. */
const CLOSE = 255;

const HIGH_WATER_BYTES = 256 * 1024;

export interface RemoteStreams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

/** Carries a command's streams between the client and a kubelet that has switched to SPDY, until the command ends. */
export function carryRemoteCommand(
  client: WebSocket,
  kubelet: { readonly socket: Duplex; readonly head: Buffer },
  wanted: RemoteStreams,
): void {
  const connection = new SpdyConnection(kubelet.socket, kubelet.head);
  const open = (streamtype: string) => connection.open({ streamtype });
  const error = open("error");
  const writable = new Map<number, SpdyStream>();
  const readable = new Map<number, SpdyStream>();
  if (wanted.stdin) writable.set(STDIN, open("stdin"));
  if (wanted.stdout) readable.set(STDOUT, open("stdout"));
  if (wanted.stderr && !wanted.tty) readable.set(STDERR, open("stderr"));
  if (wanted.tty) writable.set(RESIZE, open("resize"));

  // The client waits for a first message to know that the command is there.
  const [first = ERROR] = readable.keys();
  client.send(Buffer.from([first]));
  client.on("message", (message) => take(client, writable, asBuffer(message)));
  client.on("close", () => connection.destroy());
  const outputs = [...readable].map(([channel, stream]) => pass(stream, channel, client));
  void Promise.all([...outputs, pass(error, ERROR, client)]).then((passed) => {
    // A command that ended has said how. What ends without a word was broken off.
    if ((passed.at(-1) ?? 0) > 0) client.close(1000);
    else client.close(1011, "the connection to the node was lost");
    connection.destroy();
  });
}

function asBuffer(message: RawData): Buffer {
  if (Array.isArray(message)) return Buffer.concat(message);
  return Buffer.isBuffer(message) ? message : Buffer.from(message);
}

/** What the client sent goes to the stream of its channel; the client waits while that is full. */
function take(client: WebSocket, streams: ReadonlyMap<number, SpdyStream>, message: Buffer): void {
  const [channel, closed] = message;
  if (channel === CLOSE) {
    streams.get(closed ?? CLOSE)?.end();
    return;
  }
  const stream = streams.get(channel ?? CLOSE);
  if (stream === undefined || stream.writableEnded || message.byteLength === 1) return;
  if (stream.write(message.subarray(1))) return;
  client.pause();
  stream.once("drain", () => client.resume());
}

/** Sends what comes on a stream as messages of its channel; resolves with the number of bytes when nothing more comes. */
async function pass(stream: SpdyStream, channel: number, client: WebSocket): Promise<number> {
  const prefix = Buffer.from([channel]);
  let passed = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    if (client.readyState !== WebSocket.OPEN) break;
    passed += chunk.byteLength;
    const message = Buffer.concat([prefix, chunk]);
    if (client.bufferedAmount < HIGH_WATER_BYTES) client.send(message);
    else await new Promise<void>((resolve) => client.send(message, () => resolve()));
  }
  return passed;
}
