// What clients send in WebSockets: to a command in a container, and to a port that is forwarded.
import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { WebSocket } from "ws";
import { carryPortForward, PORT_FORWARD_TUNNEL } from "../../../../src/apiserver/front/streams/port-forward.ts";
import { carryRemoteCommand, REMOTE_COMMAND_V5 } from "../../../../src/apiserver/front/streams/remote-command.ts";
import { acceptStreams } from "../../../../src/apiserver/front/web-socket.ts";
import { type FuzzTarget, neverThrows } from "../target.ts";

const BINARY = 2;
const CLOSE = 8;
const PING = 9;
/** Turns of the event loop within which all that came is passed on. */
const TURNS = 5;

/** A frame as clients send them; the mask changes nothing. */
const frame = (opcode: number, ...payload: readonly number[]) =>
  Buffer.from([0x80 | opcode, 0x80 | payload.length, 0, 0, 0, 0, ...payload]);
const corpus = [
  Buffer.concat([frame(BINARY, 0, 104, 105), frame(BINARY, 4, 123, 125), frame(BINARY, 255, 0), frame(CLOSE, 3, 232)]),
  Buffer.concat([frame(PING, 1), frame(BINARY, 0), frame(BINARY), frame(BINARY, 9, 9), Buffer.from([0x02, 0x81, 1, 2, 3, 4, 5])]),
];
const words = ["\x82\x81\0\0\0\0", "\x88\x80\0\0\0\0", "\x82\xfe", "\x82\xff\0\0\0\0", "\xff\0", "\x80"];

/** A socket of which nobody is at the other end; `written` is what it was given. */
function socketWith(written: Buffer[]): Duplex {
  return new Duplex({
    read: () => {},
    write: (chunk: Buffer, _encoding, done) => {
      written.push(chunk);
      done();
    },
  });
}

/** Lets a client that has switched to WebSockets send the input and go; answers what the node was sent, and its socket. */
async function carried(
  input: Buffer,
  protocol: string,
  carry: (client: WebSocket, kubelet: { socket: Duplex; head: Buffer }) => void,
): Promise<{ readonly sent: Buffer; readonly kubelet: Duplex }> {
  const socket = socketWith([]);
  const toKubelet: Buffer[] = [];
  const kubelet = socketWith(toKubelet);
  const key = Buffer.alloc(16).toString("base64");
  const headers = { upgrade: "websocket", connection: "upgrade", "sec-websocket-version": "13", "sec-websocket-key": key };
  const request = { method: "GET", headers: { ...headers, "sec-websocket-protocol": protocol } };
  const upgrade = { socket, head: Buffer.alloc(0) };
  carry(await acceptStreams({ request, upgrade } as unknown as Parameters<typeof acceptStreams>[0], protocol), {
    socket: kubelet,
    head: Buffer.alloc(0),
  });
  socket.push(input);
  for (let turn = 0; turn < TURNS; turn++) await nextTurn();
  const sent = Buffer.concat(toKubelet);
  socket.destroy();
  for (let turn = 0; turn < TURNS; turn++) await nextTurn();
  return { sent, kubelet };
}

/** Throws unless the bytes are whole frames. */
function checkSpdy(bytes: Buffer): void {
  let rest = bytes;
  while (rest.length > 0) {
    assert(rest.length >= 8);
    const length = rest.readUInt32BE(4) & 0xff_ffff;
    assert(rest.length >= 8 + length);
    rest = rest.subarray(8 + length);
  }
}

export const webSocketTargets: readonly FuzzTarget[] = [
  {
    name: "web-socket-command",
    corpus,
    words,
    run: async (input) => {
      const wanted = { stdin: true, stdout: true, stderr: false, tty: true };
      const { sent, kubelet } = await carried(input, REMOTE_COMMAND_V5, (client, node) => carryRemoteCommand(client, node, wanted));
      checkSpdy(sent);
      assert(kubelet.destroyed, "the node was not told that the client has gone");
    },
    isRefusal: neverThrows,
  },
  {
    name: "web-socket-port",
    corpus,
    words,
    run: async (input) => {
      const { kubelet } = await carried(input, PORT_FORWARD_TUNNEL, carryPortForward);
      kubelet.destroy();
    },
    isRefusal: neverThrows,
  },
];
