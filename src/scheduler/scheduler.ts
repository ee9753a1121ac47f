// The scheduler: takes pods without a node from its queue, places each by its profile's plug-ins and binds it.
import type { Pod } from "../api/types/core/v1.ts";
import type { Clock, Logger, Random } from "../base/index.ts";
import type { Client, EventRecorder, InformerSource } from "../client/index.ts";
import type { DeepReadonly } from "../machinery/index.ts";
import { ClusterState } from "./cluster/cluster-state.ts";
import { type PodInfo, podInfo } from "./cluster/pod-info.ts";
import { ClusterWatcher } from "./cluster-watcher.ts";
import type { ClusterEvent } from "./framework/events.ts";
import type { NodeRejection } from "./framework/plugin.ts";
import { Nominator } from "./placement/nominator.ts";
import { defaultRegistry, type PluginRegistry } from "./plugins/registry.ts";
import type { SchedulerConfiguration } from "./profile/configuration.ts";
import { type Fetch, httpExtender } from "./profile/http-extender.ts";
import { makeProfiles } from "./profile/make-profiles.ts";
import { type Profile, pluginsOf } from "./profile/profile.ts";
import { SchedulingQueue } from "./queue/scheduling-queue.ts";
import { SchedulingCycle } from "./scheduling-cycle.ts";

export interface SchedulerOptions {
  readonly client: Client;
  readonly informers: InformerSource;
  readonly recorder: Pick<EventRecorder, "event">;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Default: one profile, `default-scheduler`, with upstream's plug-ins. */
  readonly configuration?: SchedulerConfiguration;
  /** Plug-ins beside the built-in ones, by name; the configuration enables them. */
  readonly plugins?: PluginRegistry;
  /** By which extenders are asked; without it there are none. */
  readonly fetch?: Fetch;
}

/** Pods placed before other work of the process gets its turn. */
const PODS_PER_TURN = 64;

export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #cluster = new ClusterState();
  readonly #queue: SchedulingQueue;
  readonly #watcher: ClusterWatcher;
  /** By scheduler name. */
  readonly #cycles = new Map<string, SchedulingCycle>();
  #wake: () => void = () => {};

  constructor(options: SchedulerOptions) {
    this.#options = options;
    const { informers, clock, configuration } = options;
    const cluster = this.#cluster;
    const nominator = new Nominator();
    const assumed = new Set<string>();
    const context = { ...options, cluster, nominator };
    const { fetch } = options;
    const profiles = makeProfiles({
      configuration,
      registry: { ...defaultRegistry, ...options.plugins },
      context,
      extenders:
        fetch === undefined
          ? []
          : (configuration?.extenders ?? []).map((each) => httpExtender({ configuration: each, fetch, clock, cluster })),
    });
    const queue = new SchedulingQueue({
      clock,
      onReady: () => this.#wake(),
      compare: profiles[0]?.enabled.queueSort[0]?.plugin.compare ?? (() => 0),
      preEnqueue: (pod) => this.#cycleOf(pod)?.heldBack(pod),
      ...configuration?.backoff,
    });
    for (const profile of profiles) {
      this.#cycles.set(profile.schedulerName, new SchedulingCycle({ ...options, profile, cluster, nominator, queue, assumed }));
    }
    this.#queue = queue;
    this.#watcher = new ClusterWatcher({
      informers,
      cluster,
      queue,
      nominator,
      assumed,
      events: new Set(profiles.flatMap(eventsOf)),
      isMine: (pod) => this.#cycles.has(pod.spec?.schedulerName ?? ""),
    });
  }

  /** Schedules until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      await this.#options.informers.waitForSync(signal);
    } catch (error) {
      if (!signal.aborted) throw error;
      return this.#queue.close();
    }
    const stop = this.#watcher.start();
    while (!signal.aborted) {
      await this.#scheduleTurn(signal);
      if (this.#queue.hasReady) await this.#options.clock.sleep(0, signal).catch(() => {});
      else await this.#nextReady(signal);
    }
    stop();
    this.#queue.close();
  }

  /** Per node and plug-in why the pod may not run there, as things are now; nothing about nodes that would take it. */
  explain(pod: DeepReadonly<Pod>): readonly NodeRejection[] {
    const info = podInfo(pod);
    return this.#cycleOf(info)?.explain(info) ?? [];
  }

  #cycleOf({ pod }: PodInfo): SchedulingCycle | undefined {
    return this.#cycles.get(pod.spec?.schedulerName ?? "");
  }

  #nextReady(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        signal.removeEventListener("abort", done);
        resolve();
      };
      this.#wake = done;
      signal.addEventListener("abort", done, { once: true });
      if (this.#queue.hasReady) done();
    });
  }

  async #scheduleTurn(signal: AbortSignal): Promise<void> {
    for (let i = 0; i < PODS_PER_TURN; i++) {
      const queued = this.#queue.pop();
      if (queued === undefined) return;
      const waiting = this.#cycleOf(queued.info)?.schedule(queued, signal);
      if (waiting !== undefined) await waiting;
    }
  }
}

function eventsOf(profile: Profile): ClusterEvent[] {
  return pluginsOf(profile).flatMap(({ wakesOn = [] }) => wakesOn.map(({ on }) => on));
}
