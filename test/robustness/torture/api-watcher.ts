// Lists and watches the config maps of a server that may be killed, and goes on where it was.
import { setTimeout as sleep } from "node:timers/promises";
import { type ApiList, type ApiObject, call } from "../../../bench/api.ts";
import { Connection } from "../../../bench/connection.ts";
import type { Target } from "../../../bench/target.ts";
import { LABEL, MAPS, readMap } from "./numbered-map.ts";
import type { Change, WatchedMaps } from "./watched-maps.ts";

const RETRY_MS = 20;

interface WatchEvent {
  readonly type: Change | "BOOKMARK" | "ERROR";
  readonly object: ApiObject;
}

export class ApiWatcher {
  readonly #target: Target;
  readonly #maps: WatchedMaps;
  /** Whether a watch cannot go on: how things are is to be listed. */
  #isLost = true;
  #connection: Connection | undefined;

  constructor(target: Target, maps: WatchedMaps) {
    this.#target = target;
    this.#maps = maps;
  }

  /** Follows until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { promise: aborted, resolve } = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => resolve(), { once: true });
    while (!signal.aborted) {
      const followed = this.#follow().catch(() => sleep(RETRY_MS));
      await Promise.race([followed, aborted]);
      this.#connection?.close();
    }
  }

  /** Until the watch ends. */
  async #follow(): Promise<void> {
    const connection = await Connection.open(this.#target);
    this.#connection = connection;
    const query = `labelSelector=${LABEL}`;
    if (this.#isLost) {
      const { metadata, items } = await call<ApiList>(connection, { method: "GET", path: `${MAPS}?${query}` }, 200);
      this.#maps.listed(Number(metadata.resourceVersion), items.map(readMap));
      this.#isLost = false;
    }
    let carry = "";
    const onData = (part: Buffer) => {
      const lines = (carry + part.toString("latin1")).split("\n");
      carry = lines.pop() ?? "";
      for (const line of lines) this.#take(JSON.parse(line) as WatchEvent);
    };
    const { status } = await connection.stream(`${MAPS}?${query}&watch=1&resourceVersion=${this.#maps.revision}`, onData);
    if (status === 410) this.#isLost = true;
    else if (status !== 200) throw new Error(`the watch was answered ${status}`);
  }

  #take({ type, object }: WatchEvent): void {
    if (type === "ERROR") this.#isLost = true;
    else if (type !== "BOOKMARK") this.#maps.changed(type, readMap(object));
  }
}
