// Cluster DNS over UDP: a server process of its own, asked by windows of questions that are under way at the same time.
import { type ChildProcess, spawn } from "node:child_process";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { encode } from "dns-packet";
import { VoidError } from "../api.ts";
import { type Round, type Row, timeRound } from "../measure.ts";

const WORKER = fileURLToPath(new URL("../dns-worker.ts", import.meta.url));
const SERVICES = 1_000;
const SOCKETS = 4;
const WINDOW = 32;

/** Names that clients ask for: Services by their full names, and the search path's misses. */
const names = Array.from({ length: SERVICES }, (_, index) => [
  `web-${index}.default.svc.cluster.local`,
  `web-${index}.default.svc.cluster.local.default.svc.cluster.local`,
]).flat();
const questions = names.map((name) => encode({ type: "query", id: 0, flags: 0x100, questions: [{ name, type: "A" }] }));

export async function dnsArea({ seconds, rounds }: { readonly seconds: number; readonly rounds: number }): Promise<Row[]> {
  const server = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", WORKER, `${SERVICES}`], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const [port] = (await once(server.stdout, "data")) as [Buffer];
    const measured: Round[] = [];
    await askFor(Number(port.toString()), 1);
    while (measured.length < rounds) measured.push(await round(server, Number(port.toString()), seconds));
    return [{ name: `answer about ${SERVICES} services`, rounds: measured }];
  } finally {
    server.kill();
  }
}

function round(server: ChildProcess, port: number, seconds: number): Promise<Round> {
  return timeRound({ serverPid: server.pid, work: async () => ({ operations: await askFor(port, seconds), latenciesMs: [] }) });
}

async function askFor(port: number, seconds: number): Promise<number> {
  const answered = await Promise.all(Array.from({ length: SOCKETS }, (_, index) => askFrom(index, port, seconds)));
  const sum = answered.reduce((total, count) => total + count, 0);
  if (sum === 0) throw new VoidError("DNS did not answer");
  return sum;
}

async function askFrom(index: number, port: number, seconds: number): Promise<number> {
  const socket = createSocket("udp4");
  socket.connect(port, "127.0.0.1");
  await once(socket, "connect");
  let count = 0;
  let next = index * WINDOW;
  const send = (through: Socket) => through.send(questions[next++ % questions.length] ?? "");
  socket.on("message", (answer) => {
    if ((answer[2] ?? 0) < 0x80) throw new VoidError("what came is no answer");
    count++;
    send(socket);
  });
  for (let sent = 0; sent < WINDOW; sent++) send(socket);
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  socket.removeAllListeners("message");
  socket.close();
  return count;
}
