// Looks at what the node has left, reclaims what nobody needs, and evicts pods when that is not enough.
import type { Clock, Logger } from "../../base/index.ts";
import type { EventSink } from "../node-context.ts";
import { podReference } from "../pod/pod-events.ts";
import { type PodObject, podUid } from "../pod/pod-object.ts";
import type { PodRegistry } from "../pod-registry.ts";
import { hasStorageLimit, storageExcess } from "./local-storage.ts";
import { findPressures, NO_PRESSURE, type Observations, type PassedThreshold, type Pressure, type PressureState } from "./pressure.ts";
import { type PodUse, pressureCause, rankPods, resourceOf } from "./rank.ts";
import { type EvictionConfig, parseThresholds, type Threshold } from "./thresholds.ts";

/** What the manager asks of the machine. */
export interface NodeMeter {
  observe(): Promise<Observations>;
  /** What pods use, by uid; `measuresDisk` also walks what they wrote. */
  podUse(pods: readonly PodObject[], options: { readonly measuresDisk: boolean }): Promise<ReadonlyMap<string, PodUse>>;
}

export interface EvictionManagerOptions {
  readonly meter: NodeMeter;
  readonly config: EvictionConfig;
  readonly pods: Pick<PodRegistry, "list" | "worker">;
  readonly events: EventSink;
  readonly nodeName: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Frees disk space without touching pods: dead containers and unused images. */
  readonly reclaimDisk: (signal: AbortSignal) => Promise<void>;
  /** The pressures have changed. */
  readonly onChange: () => void;
}

const LOOK_MS = 10_000;
/** How soon it is looked again while an evicted pod is on its way out. */
const PRESSED_LOOK_MS = 2_000;
const TRANSITION_MS = 300_000;

export class EvictionManager {
  readonly #options: EvictionManagerOptions;
  readonly #thresholds: readonly Threshold[];
  #state: PressureState = NO_PRESSURE;
  #pressures: ReadonlySet<Pressure> = new Set();
  /** The pod that was evicted last: the next one waits until it is gone. */
  #leaving: string | undefined;

  constructor(options: EvictionManagerOptions) {
    this.#options = options;
    this.#thresholds = parseThresholds(options.config);
  }

  get pressures(): ReadonlySet<Pressure> {
    return this.#pressures;
  }

  /** Until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    while (!signal.aborted) {
      let isPressed = false;
      try {
        isPressed = await this.look(signal);
      } catch (error) {
        if (!signal.aborted) logger.warn("cannot look at what the node has left", { error });
      }
      await clock.sleep(isPressed ? PRESSED_LOOK_MS : LOOK_MS, signal).catch(() => {});
    }
  }

  /** One look; answers whether something must be freed. */
  async look(signal: AbortSignal): Promise<boolean> {
    const { clock, config, meter } = this.#options;
    const transitionMs = config.evictionPressureTransitionPeriodMs ?? TRANSITION_MS;
    const find = async () => {
      return findPressures(this.#thresholds, await meter.observe(), { state: this.#state, nowMs: clock.now(), transitionMs });
    };
    let finding = await find();
    this.#take(finding.pressures);
    this.#state = finding.state;
    if (await this.#evictExcess()) return true;
    if (finding.passed.some(({ threshold }) => isDisk(threshold))) {
      await this.#options.reclaimDisk(signal);
      finding = await find();
    }
    const [first] = finding.passed;
    if (first === undefined) return false;
    await this.#evictFor(first);
    return true;
  }

  #take(pressures: ReadonlySet<Pressure>): void {
    const hasChanged = pressures.size !== this.#pressures.size || [...pressures].some((pressure) => !this.#pressures.has(pressure));
    this.#pressures = pressures;
    if (hasChanged) this.#options.onChange();
  }

  /** Pods that run and have not been told to go. */
  #candidates(): readonly PodObject[] {
    const { pods } = this.#options;
    return pods.list().filter((pod) => pods.worker(podUid(pod))?.state === "running");
  }

  async #evictExcess(): Promise<boolean> {
    const limited = this.#candidates().filter(hasStorageLimit);
    if (limited.length === 0) return false;
    const uses = await this.#options.meter.podUse(limited, { measuresDisk: true });
    let isAny = false;
    for (const pod of limited) {
      const use = uses.get(podUid(pod));
      const cause = use === undefined ? undefined : storageExcess(pod, use);
      if (cause === undefined) continue;
      isAny = true;
      this.#evict(pod, cause, 0);
    }
    return isAny;
  }

  async #evictFor(passed: PassedThreshold): Promise<void> {
    const { config, events, logger, meter, nodeName, pods } = this.#options;
    const leaving = this.#leaving === undefined ? undefined : pods.worker(this.#leaving)?.state;
    if (leaving === "terminating" || leaving === "terminated") return;
    const resource = resourceOf(passed.threshold.signal);
    events.event({ kind: "Node", name: nodeName, uid: nodeName }, "Warning", "EvictionThresholdMet", `Attempting to reclaim ${resource}`);
    const candidates = this.#candidates();
    const uses = await meter.podUse(candidates, { measuresDisk: isDisk(passed.threshold) });
    const known = candidates.flatMap((pod) => {
      const use = uses.get(podUid(pod));
      return use === undefined ? [] : [{ pod, use }];
    });
    const [first] = rankPods(known, passed.threshold.signal);
    if (first === undefined) {
      logger.warn("no pod can be evicted", { signal: passed.threshold.signal });
      return;
    }
    const own = first.pod.spec?.terminationGracePeriodSeconds ?? 30;
    const graceSeconds = passed.threshold.graceMs === 0 ? 0 : Math.min(own, config.evictionMaxPodGracePeriod ?? 0);
    this.#evict(first.pod, pressureCause(first, passed), graceSeconds);
    this.#leaving = podUid(first.pod);
  }

  #evict(pod: PodObject, cause: ReturnType<typeof pressureCause>, graceSeconds: number): void {
    this.#options.events.event(podReference(pod), "Warning", "Evicted", cause.message);
    this.#options.pods.worker(podUid(pod))?.evict(cause, graceSeconds);
  }
}

function isDisk({ signal }: Threshold): boolean {
  return signal.startsWith("nodefs") || signal.startsWith("imagefs");
}
