// Numbered changes to a set of config maps, repeated until the server has acknowledged them.
import { setTimeout as sleep } from "node:timers/promises";
import { ApiException, type CoreV1Api } from "@kubernetes/client-node";
import { type Random, randomInt } from "../../../src/base/index.ts";

const RETRY_MS = 250;

export interface ChangerOptions {
  readonly api: CoreV1Api;
  readonly random: Random;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** How many names there are. */
  readonly names: number;
}

export class Changer {
  readonly #options: ChangerOptions;
  /** The number of the last change of each name; names count on after a deletion. */
  readonly #numbers = new Map<string, number>();
  /** What there is now, as far as it was acknowledged, by name. */
  readonly expected = new Map<string, number>();
  changes = 0;

  constructor(options: ChangerOptions) {
    this.#options = options;
  }

  /** Creates, updates or deletes an object; a deletion is one in eight. */
  async change(): Promise<void> {
    const { random, names, namespace, api } = this.#options;
    const name = `source-${randomInt(random, names)}`;
    this.changes++;
    if (this.expected.has(name) && randomInt(random, 8) === 0) {
      await acknowledged(() => api.deleteNamespacedConfigMap({ namespace, name }), 404);
      this.expected.delete(name);
      return;
    }
    const number = (this.#numbers.get(name) ?? 0) + 1;
    this.#numbers.set(name, number);
    const body = { metadata: { name, labels: { ...this.#options.labels } }, data: { number: `${number}` } };
    if (this.expected.has(name)) await acknowledged(() => api.replaceNamespacedConfigMap({ namespace, name, body }));
    else await acknowledged(() => api.createNamespacedConfigMap({ namespace, body }), 409);
    this.expected.set(name, number);
  }
}

/** Repeats a call until it succeeds, or answers with the code that says that an earlier attempt did. */
async function acknowledged(call: () => Promise<unknown>, doneCode?: number): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await call();
      return;
    } catch (error) {
      if (attempt > 0 && error instanceof ApiException && error.code === doneCode) return;
      if (error instanceof ApiException && error.code < 500 && error.code !== 429) throw error;
      await sleep(RETRY_MS);
    }
  }
}
