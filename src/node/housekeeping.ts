// Keeps the node from running full: image collection, and eviction when that is not enough.
import { EvictionManager, type NodeMeter } from "./eviction/eviction-manager.ts";
import type { Pressure } from "./eviction/pressure.ts";
import type { EvictionConfig } from "./eviction/thresholds.ts";
import { ImageGarbage } from "./images/image-garbage.ts";
import type { NodeContext } from "./node-context.ts";
import type { PodRegistry } from "./pod-registry.ts";
import type { ImageStatus } from "./runtime/runtime.ts";

export interface HousekeepingConfig {
  readonly meter: NodeMeter;
  readonly eviction: EvictionConfig;
  /** Whether an image stays though nothing uses it. */
  readonly isImageKept: (image: ImageStatus) => boolean;
}

export interface HousekeepingOptions {
  readonly config: HousekeepingConfig;
  readonly context: NodeContext;
  readonly pods: PodRegistry;
  /** The pressures have changed. */
  readonly onChange: () => void;
}

export class Housekeeping {
  readonly #eviction: EvictionManager;
  readonly #images: ImageGarbage;

  constructor({ config, context, pods, onChange }: HousekeepingOptions) {
    const { clock, events, logger, nodeName, runtime } = context;
    const { isImageKept: isKept, meter, eviction } = config;
    const disk = async () => {
      const { available = 0, capacity: capacityBytes = 0 } = (await meter.observe()).get("imagefs.available") ?? {};
      return { usedBytes: capacityBytes - available, capacityBytes };
    };
    const inUse = (signal: AbortSignal) => imagesInUse(context, pods, signal);
    this.#images = new ImageGarbage({ runtime, inUse, isKept, disk, records: context.pullRecords, clock, logger });
    const reclaimDisk = (signal: AbortSignal) => this.#images.removeUnused(signal);
    this.#eviction = new EvictionManager({ meter, config: eviction, pods, events, nodeName, clock, logger, reclaimDisk, onChange });
  }

  get pressures(): ReadonlySet<Pressure> {
    return this.#eviction.pressures;
  }

  /** Until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#eviction.run(signal), this.#images.run(signal)]);
  }
}

/** Ids of the images that containers were made from, and of those that volumes show. */
async function imagesInUse({ runtime }: NodeContext, pods: PodRegistry, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const references = new Set<string>();
  for (const { containers } of await runtime.listPods(undefined, signal)) {
    for (const { imageRef, image } of containers) references.add(imageRef === "" ? image : imageRef);
  }
  for (const pod of pods.list()) for (const { image } of pod.spec?.volumes ?? []) references.add(image?.reference ?? "");
  references.delete("");
  const images = await Promise.all([...references].map((reference) => runtime.imageStatus(reference, signal)));
  return new Set(images.flatMap((image) => (image === undefined ? [] : [image.id])));
}
