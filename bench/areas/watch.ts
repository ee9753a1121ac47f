// Fan-out: many watches on one namespace, some updates a second of 2 kB. How long after the writer's answer the others know.
import { setTimeout as sleep } from "node:timers/promises";
import { type ApiList, call, check, makeNamespace, openAll, removeNamespace, VoidError } from "../api.ts";
import type { Bench } from "../bench.ts";
import { Connection } from "../connection.ts";
import { type Round, type Row, timeRound } from "../measure.ts";

interface FanOut {
  readonly watchers: number;
  readonly updatesPerSecond: number;
}

const USUAL: FanOut = { watchers: 500, updatesPerSecond: 20 };
const LARGE: FanOut = { watchers: 1000, updatesPerSecond: 50 };
const VALUE_BYTES = 2048;
const SETTLE_MS = 5_000;
/** Stands before the eight digits that number an update. */
const MARK = "@seq@";
const MARKED_BYTES = MARK.length + 8;

export async function watchArea(bench: Bench): Promise<Row[]> {
  const usual = await fanOut(bench, USUAL);
  const large = await fanOut(bench, LARGE);
  const stalled = await fanOut(bench, LARGE, { stalled: true });
  return [
    { name: `${nameOf(USUAL)}: write answered → received`, rounds: usual.map(({ acknowledged }) => acknowledged) },
    { name: "the same: write sent → received", rounds: usual.map(({ sent }) => sent) },
    { name: `${nameOf(LARGE)}: write sent → received`, rounds: large.map(({ sent }) => sent) },
    { name: "the same, with one more that does not read", rounds: stalled.map(({ sent }) => sent) },
  ];
}

const nameOf = ({ watchers, updatesPerSecond }: FanOut) => `events, ${watchers} watchers, ${updatesPerSecond} updates/s`;

interface FanOutRound {
  readonly acknowledged: Round;
  readonly sent: Round;
}

async function fanOut(bench: Bench, shape: FanOut, { stalled = false } = {}): Promise<FanOutRound[]> {
  const writer = await Connection.open(bench.target);
  const watchers = await openAll(bench.target, shape.watchers);
  const idler = await Connection.open(bench.target);
  const namespace = `bench-${bench.run}-watch-${shape.watchers}${stalled ? "-stalled" : ""}`;
  try {
    await makeNamespace(writer, namespace);
    const load = new WatchLoad(bench, shape, { writer, path: `/api/v1/namespaces/${namespace}/configmaps` });
    await load.open(watchers);
    if (stalled) load.openStalled(idler);
    const rounds: FanOutRound[] = [];
    while (rounds.length < bench.rounds) rounds.push(await load.round());
    return rounds;
  } finally {
    for (const connection of [...watchers, idler]) connection.close();
    await removeNamespace(writer, namespace);
    writer.close();
  }
}

class WatchLoad {
  readonly #bench: Bench;
  readonly #shape: FanOut;
  readonly #writer: Connection;
  readonly #path: string;
  #watchPath = "";
  readonly #pad = "x".repeat(VALUE_BYTES);
  /** When each update of the round was sent, answered, and received by the watchers. */
  #sentAt: number[] = [];
  #answeredAt: number[] = [];
  #received: number[][] = [];
  #count = 0;

  constructor(bench: Bench, shape: FanOut, { writer, path }: { readonly writer: Connection; readonly path: string }) {
    this.#bench = bench;
    this.#shape = shape;
    this.#writer = writer;
    this.#path = path;
  }

  async open(watchers: readonly Connection[]): Promise<void> {
    await call(this.#writer, { method: "POST", path: this.#path, body: this.#body("none") }, 201);
    const { metadata } = await call<ApiList>(this.#writer, { method: "GET", path: this.#path }, 200);
    this.#watchPath = `${this.#path}?watch=1&resourceVersion=${metadata.resourceVersion}`;
    for (const watcher of watchers) watcher.stream(this.#watchPath, this.#scanner()).catch(() => {});
    await sleep(500);
  }

  /** One more watcher, which does not read what comes. */
  openStalled(watcher: Connection): void {
    watcher.stream(this.#watchPath, () => {}).catch(() => {});
    watcher.stall();
  }

  async round(): Promise<FanOutRound> {
    const updates = this.#bench.seconds * this.#shape.updatesPerSecond;
    this.#sentAt = [];
    this.#answeredAt = [];
    this.#received = Array.from({ length: updates }, () => []);
    this.#count = 0;
    const acknowledged = await timeRound({ serverPid: this.#bench.serverPid, work: () => this.#write(updates) });
    const latenciesMs = this.#latencies(this.#sentAt);
    return { acknowledged, sent: { ...acknowledged, latenciesMs } };
  }

  async #write(updates: number): Promise<{ operations: number; latenciesMs: number[] }> {
    const start = performance.now();
    const request = { method: "PUT", path: `${this.#path}/noise` };
    for (let update = 0; update < updates; update++) {
      await sleep(Math.max(0, start + (update * 1000) / this.#shape.updatesPerSecond - performance.now()));
      this.#sentAt.push(performance.now());
      const answer = await this.#writer.send({ ...request, body: this.#body(`${MARK}${String(update).padStart(8, "0")}`) });
      this.#answeredAt.push(performance.now());
      check(answer, request, 200);
    }
    const expected = updates * this.#shape.watchers;
    for (let waitedMs = 0; this.#count < expected && waitedMs < SETTLE_MS; waitedMs += 10) await sleep(10);
    if (this.#count !== expected) throw new VoidError(`${this.#count} events were received instead of ${expected}`);
    return { operations: expected, latenciesMs: this.#latencies(this.#answeredAt) };
  }

  /** An event may come before the writer's answer: that counts as at once. */
  #latencies(from: readonly number[]): number[] {
    return this.#received.flatMap((times, update) => times.map((time) => Math.max(0, time - (from[update] ?? 0))));
  }

  #body(mark: string): string {
    return JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "noise" }, data: { mark, pad: this.#pad } });
  }

  /** Looks for marks in a stream without parsing it; a mark may be cut in two. */
  #scanner(): (part: Buffer) => void {
    let tail: Buffer = Buffer.alloc(0);
    return (part) => {
      const data = tail.length === 0 ? part : Buffer.concat([tail, part]);
      let behind = 0;
      for (let at = data.indexOf(MARK); at >= 0 && at + MARKED_BYTES <= data.length; at = data.indexOf(MARK, behind)) {
        behind = at + MARKED_BYTES;
        this.#received[Number(data.toString("latin1", at + MARK.length, behind))]?.push(performance.now());
        this.#count++;
      }
      tail = data.subarray(Math.max(behind, data.length - MARKED_BYTES + 1));
    };
  }
}
