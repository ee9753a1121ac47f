// Removes images that no container uses, when the disk is filling up.
import type { Clock, Logger } from "../../base/index.ts";
import type { ImageStatus, Runtime } from "../runtime/runtime.ts";
import type { PullRecords } from "./pull-records.ts";

export interface ImageGarbageOptions {
  readonly runtime: Pick<Runtime, "listImages" | "removeImage">;
  /** Ids of images that something uses. */
  readonly inUse: (signal: AbortSignal) => Promise<ReadonlySet<string>>;
  /** Whether an image stays whatever happens: it was put on the node by hand, or the runtime needs it. */
  readonly isKept: (image: ImageStatus) => boolean;
  /** Of the file system with the images. */
  readonly disk: () => Promise<{ readonly usedBytes: number; readonly capacityBytes: number }>;
  readonly records: Pick<PullRecords, "prune">;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Upstream's defaults: between which shares of the disk images are removed, and how old they must be. */
const HIGH_PERCENT = 85;
const LOW_PERCENT = 80;
const MIN_AGE_MS = 120_000;
const PERIOD_MS = 300_000;

/** An image as the collector remembers it. */
export interface SeenImage {
  readonly id: string;
  readonly sizeBytes: number;
  readonly firstSeenMs: number;
  readonly lastUsedMs: number;
  readonly isUsed: boolean;
  readonly isKept: boolean;
}

/** Which images go so that `wantBytes` become free, those unused for longest first. Pure. */
export function planRemoval(images: readonly SeenImage[], want: { readonly bytes: number; readonly nowMs: number }): readonly SeenImage[] {
  const candidates = images
    .filter(({ isUsed, isKept, firstSeenMs }) => !isUsed && !isKept && want.nowMs - firstSeenMs >= MIN_AGE_MS)
    .toSorted((a, b) => a.lastUsedMs - b.lastUsedMs || a.firstSeenMs - b.firstSeenMs);
  const going: SeenImage[] = [];
  let freed = 0;
  for (const image of candidates) {
    if (freed >= want.bytes) break;
    going.push(image);
    freed += image.sizeBytes;
  }
  return going;
}

export class ImageGarbage {
  readonly #options: ImageGarbageOptions;
  /** By image id. */
  readonly #seen = new Map<string, { readonly firstSeenMs: number; readonly lastUsedMs: number }>();

  constructor(options: ImageGarbageOptions) {
    this.#options = options;
  }

  /** Until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    while (!signal.aborted) {
      await this.collect(signal).catch((error: unknown) => {
        if (!signal.aborted) logger.warn("cannot collect images", { error });
      });
      await clock.sleep(PERIOD_MS, signal).catch(() => {});
    }
  }

  /** Removes what must go for the disk to be below the low mark, once it is above the high one. */
  async collect(signal: AbortSignal): Promise<void> {
    const { disk } = this.#options;
    const { usedBytes, capacityBytes } = await disk();
    const images = await this.#look(signal);
    if (usedBytes * 100 < capacityBytes * HIGH_PERCENT) return;
    await this.#remove(images, usedBytes - (capacityBytes * LOW_PERCENT) / 100, signal);
  }

  /** Removes all images that may go. */
  async removeUnused(signal: AbortSignal): Promise<void> {
    await this.#remove(await this.#look(signal), Number.POSITIVE_INFINITY, signal);
  }

  async #look(signal: AbortSignal): Promise<readonly SeenImage[]> {
    const { clock, inUse, isKept, records, runtime } = this.#options;
    const nowMs = clock.now();
    const [images, used] = await Promise.all([runtime.listImages(signal), inUse(signal)]);
    await records.prune(
      images.map(({ id }) => id),
      nowMs,
    );
    const present = new Set(images.map(({ id }) => id));
    for (const id of this.#seen.keys()) if (!present.has(id)) this.#seen.delete(id);
    return images.map((image) => {
      const { id, sizeBytes } = image;
      const isUsed = used.has(id);
      const known = this.#seen.get(id);
      const times = { firstSeenMs: known?.firstSeenMs ?? nowMs, lastUsedMs: isUsed ? nowMs : (known?.lastUsedMs ?? 0) };
      this.#seen.set(id, times);
      return { id, sizeBytes, isUsed, isKept: image.isPinned === true || isKept(image), ...times };
    });
  }

  async #remove(images: readonly SeenImage[], bytes: number, signal: AbortSignal): Promise<void> {
    const { clock, logger, runtime } = this.#options;
    for (const { id, sizeBytes } of planRemoval(images, { bytes, nowMs: clock.now() })) {
      logger.info("removing an image to free disk space", { image: id, sizeBytes });
      await runtime.removeImage(id, signal);
    }
  }
}
