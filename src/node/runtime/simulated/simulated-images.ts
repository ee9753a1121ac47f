// The images of a simulated node: every reference can be pulled, at once or after a delay.
import { createHash } from "node:crypto";
import type { Clock } from "../../../base/index.ts";
import type { ImageStatus } from "../runtime.ts";

const SIMULATED_SIZE_BYTES = 4 * 1024 * 1024;

export class SimulatedImages {
  readonly #clock: Clock;
  readonly #pullDelayMs: number;
  readonly #byReference = new Map<string, ImageStatus>();

  constructor(clock: Clock, pullDelayMs: number) {
    this.#clock = clock;
    this.#pullDelayMs = pullDelayMs;
  }

  /** By reference or id. */
  find(image: string): ImageStatus | undefined {
    return this.#byReference.get(image) ?? this.list().find(({ id }) => id === image);
  }

  list(): readonly ImageStatus[] {
    return [...this.#byReference.values()];
  }

  async pull(reference: string, signal: AbortSignal | undefined): Promise<string> {
    if (this.#pullDelayMs > 0) await this.#clock.sleep(this.#pullDelayMs, signal);
    const id = `sha256:${createHash("sha256").update(reference).digest("hex")}`;
    const name = reference.split("@")[0] ?? reference;
    const repository = name.includes(":", name.lastIndexOf("/") + 1) ? name.slice(0, name.lastIndexOf(":")) : name;
    const status = { id, repoTags: [name], repoDigests: [`${repository}@${id}`], sizeBytes: SIMULATED_SIZE_BYTES, user: {} };
    this.#byReference.set(reference, status);
    return `${repository}@${id}`;
  }

  remove(image: string): void {
    const found = this.find(image);
    for (const [reference, status] of this.#byReference) if (status === found) this.#byReference.delete(reference);
  }
}
