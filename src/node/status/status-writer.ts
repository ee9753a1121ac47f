// Brings a pod's status to the API: at once when something happened, soon when it only came nearer to happening; one patch
// at a time, the newest status always last.
import { resources } from "../../api/index.ts";
import type { PodStatus } from "../../api/types/core/v1.ts";
import { type Clock, type Logger, type Random, randomInt, type Timer } from "../../base/index.ts";
import type { Client } from "../../client/index.ts";
import { isGone } from "../pod/is-gone.ts";
import { formatPod, type PodObject, podUid } from "../pod/pod-object.ts";
import { isMinor, type StatusPatch, statusPatch } from "./status-patch.ts";

export interface StatusWriterOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** The newest object known. */
  readonly current: () => PodObject;
  /** An answer of the server. */
  readonly onWritten: (pod: PodObject) => void;
  readonly signal: AbortSignal;
}

/** How long a change that nobody waits for may wait for the next one, to be written with it. */
const MINOR_MS = 500;
const RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;

export class StatusWriter {
  readonly #options: StatusWriterOptions;
  #desired: PodStatus | undefined;
  #running: Promise<void> | undefined;
  /** Set while a minor change waits. */
  #minor: Timer | undefined;
  /** Of an object that is gone from the API. */
  #goneUid: string | undefined;

  constructor(options: StatusWriterOptions) {
    this.#options = options;
  }

  /** The status that is being written, undefined when all is written. */
  get pending(): PodStatus | undefined {
    return this.#running === undefined && this.#minor === undefined ? undefined : this.#desired;
  }

  get #isGone(): boolean {
    return this.#goneUid !== undefined && this.#goneUid === podUid(this.#options.current());
  }

  set(status: PodStatus): void {
    this.#desired = status;
    if (this.#isGone || this.#running !== undefined) return;
    const patch = statusPatch(this.#options.current(), status);
    if (patch === undefined) return;
    if (isMinor(patch.status)) this.#minor ??= this.#options.clock.setTimeout(() => this.#start(), MINOR_MS);
    else this.#start();
  }

  #start(): void {
    this.#minor?.cancel();
    this.#minor = undefined;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  /** Resolves when nothing is left to write. */
  async flush(): Promise<void> {
    if (this.#minor !== undefined) this.#start();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, random, signal, logger, current } = this.#options;
    let retryMs = RETRY_MS;
    while (!signal.aborted && !this.#isGone) {
      const patch = this.#desired === undefined ? undefined : statusPatch(current(), this.#desired);
      if (patch === undefined) return;
      try {
        await this.#write(patch);
        retryMs = RETRY_MS;
      } catch (error) {
        if (signal.aborted) return;
        logger.warn("cannot write pod status", { pod: formatPod(current()), error });
        await clock.sleep(retryMs + randomInt(random, retryMs), signal).catch(() => {});
        retryMs = Math.min(2 * retryMs, MAX_RETRY_MS);
      }
    }
  }

  async #write(patch: StatusPatch): Promise<void> {
    const { client, current, onWritten, signal } = this.#options;
    const pod = current();
    const { name = "", namespace, uid } = pod.metadata;
    const type = "application/strategic-merge-patch+json";
    try {
      onWritten(await client.patch(resources.pods, name, patch, { namespace, subresource: "status", type, signal }));
    } catch (error) {
      if (!(await isGone(client, pod, error))) throw error;
      this.#goneUid = uid;
    }
  }
}
