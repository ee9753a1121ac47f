// From creating a pod to seeing it Running, on a real node that has the image: one after the other, and all at once.
import { call, makeNamespace, podsPath, removeNamespace } from "../api.ts";
import type { Bench } from "../bench.ts";
import { Connection } from "../connection.ts";
import { type Round, type Row, timeRound } from "../measure.ts";
import { sleepingPod } from "../objects.ts";
import { textAfter, watchLines, within } from "../watching.ts";

const PODS = 20;
const LIMIT_SECONDS = 60;

export async function podStartArea(bench: Bench): Promise<Row[]> {
  const control = await Connection.open(bench.target);
  const watcher = await Connection.open(bench.target);
  const namespace = `bench-${bench.run}-start`;
  try {
    await makeNamespace(control, namespace);
    const load = new PodStarts(bench, control, namespace);
    await watchLines(watcher, podsPath(namespace), (line) => load.see(line));
    await load.start("warm-up");
    await load.remove("warm-up");
    const serial: Round[] = [];
    const together: Round[] = [];
    for (let round = 0; round < bench.rounds; round++) {
      serial.push(await load.serial(`serial-${round}`));
      together.push(await load.together(`together-${round}`));
    }
    return [
      { name: `start ${PODS} pods one after the other`, rounds: serial },
      { name: `start ${PODS} pods at once`, rounds: together },
    ];
  } finally {
    await removeNamespace(control, namespace);
    watcher.close();
    control.close();
  }
}

/** Starts pods of one namespace and tells how long each took. */
export class PodStarts {
  readonly #bench: Bench;
  readonly #control: Connection;
  readonly #path: string;
  readonly #running = new Map<string, (atMs: number) => void>();
  readonly #gone = new Map<string, () => void>();

  constructor(bench: Bench, control: Connection, namespace: string) {
    this.#bench = bench;
    this.#control = control;
    this.#path = podsPath(namespace);
  }

  see(line: string): void {
    const name = textAfter(line, '"name":"') ?? "";
    if (line.includes('"phase":"Running"')) this.#running.get(name)?.(performance.now());
    if (line.startsWith('{"type":"DELETED"')) this.#gone.get(name)?.();
  }

  serial(prefix: string): Promise<Round> {
    const work = async () => {
      const latenciesMs: number[] = [];
      for (let index = 0; index < PODS; index++) latenciesMs.push(await this.start(`${prefix}-${index}`));
      return { operations: PODS, latenciesMs };
    };
    return this.#measured(prefix, PODS, work);
  }

  /** `isKept` leaves them running. */
  together(prefix: string, { count = PODS, isKept = false } = {}): Promise<Round> {
    const work = async () => {
      const names = Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
      const waiting = names.map((name) => this.#untilRunning(name));
      const startedAt = performance.now();
      for (const name of names) await this.#create(name);
      const runningAt = await within(LIMIT_SECONDS, `starting ${count} pods`, Promise.all(waiting));
      return { operations: count, latenciesMs: runningAt.map((at) => at - startedAt) };
    };
    return this.#measured(prefix, isKept ? 0 : count, work);
  }

  /** Milliseconds from sending the creation to the watch's Running. */
  async start(name: string): Promise<number> {
    const running = this.#untilRunning(name);
    const startedAt = performance.now();
    await this.#create(name);
    return (await within(LIMIT_SECONDS, `starting the pod ${name}`, running)) - startedAt;
  }

  async remove(name: string): Promise<void> {
    const gone = new Promise<void>((resolve) => this.#gone.set(name, resolve));
    await call(this.#control, { method: "DELETE", path: `${this.#path}/${name}` }, 200);
    await within(LIMIT_SECONDS, `removing the pod ${name}`, gone);
  }

  async #measured(prefix: string, count: number, work: () => Promise<{ operations: number; latenciesMs: number[] }>): Promise<Round> {
    const round = await timeRound({ serverPid: this.#bench.serverPid, work });
    for (let index = 0; index < count; index++) await this.remove(`${prefix}-${index}`);
    return round;
  }

  #untilRunning(name: string): Promise<number> {
    return new Promise((resolve) => this.#running.set(name, resolve));
  }

  async #create(name: string): Promise<void> {
    await call(this.#control, { method: "POST", path: this.#path, body: JSON.stringify(sleepingPod(name, this.#bench.image)) }, 201);
  }
}
