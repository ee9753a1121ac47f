// One container in memory: its state, and the timers of what will happen to it. None runs when nothing will happen.
import type { Clock, Timer } from "../../../base/index.ts";
import type { ContainerConfig, ContainerState, ContainerStatus } from "../runtime.ts";
import type { SimulatedBehaviour } from "./behaviour.ts";

const EXIT_SIGTERM = 143;
const EXIT_SIGKILL = 137;

export interface SimulatedContainerOptions {
  readonly id: string;
  readonly sandboxId: string;
  readonly podUid: string;
  readonly config: ContainerConfig;
  readonly imageRef: string;
  readonly logDirectory: string;
  readonly behaviour: SimulatedBehaviour;
  readonly clock: Clock;
  /** The state has changed. */
  readonly onChange: () => void;
}

export class SimulatedContainer {
  readonly options: SimulatedContainerOptions;
  readonly #createdAtMs: number;
  #state: ContainerState = "CREATED";
  #startedAtMs = 0;
  #finishedAtMs = 0;
  #exitCode = 0;
  #timer: Timer | undefined;
  /** Those who wait for the end. */
  #onExit: (() => void)[] = [];

  constructor(options: SimulatedContainerOptions) {
    this.options = options;
    this.#createdAtMs = options.clock.now();
  }

  get state(): ContainerState {
    return this.#state;
  }

  get isReady(): boolean {
    return this.#state === "RUNNING" && this.ranForMs >= (this.options.behaviour.readyAfterMs ?? 0);
  }

  /** How long it has run so far, or ran in all. */
  get ranForMs(): number {
    if (this.#state === "CREATED") return 0;
    return (this.#state === "RUNNING" ? this.options.clock.now() : this.#finishedAtMs) - this.#startedAtMs;
  }

  start(): void {
    const { behaviour, clock } = this.options;
    this.#state = "RUNNING";
    this.#startedAtMs = clock.now();
    if (behaviour.runForMs !== undefined) {
      this.#timer = clock.setTimeout(() => this.#exit(behaviour.exitCode ?? 0), behaviour.runForMs);
    }
    this.options.onChange();
  }

  /** Resolves when it has ended. */
  stop(graceSeconds: number): Promise<void> {
    if (this.#state !== "RUNNING") return Promise.resolve();
    const { behaviour, clock } = this.options;
    const graceMs = graceSeconds * 1_000;
    const stopDelayMs = behaviour.stopDelayMs ?? 0;
    const isKilled = graceMs === 0 || stopDelayMs > graceMs;
    const delayMs = Math.min(stopDelayMs, graceMs);
    if (delayMs === 0) {
      this.#exit(isKilled ? EXIT_SIGKILL : EXIT_SIGTERM);
      return Promise.resolve();
    }
    const ended = new Promise<void>((resolve) => this.#onExit.push(resolve));
    this.#timer?.cancel();
    this.#timer = clock.setTimeout(() => this.#exit(isKilled ? EXIT_SIGKILL : EXIT_SIGTERM), delayMs);
    return ended;
  }

  /** Ends it at once, without waiting for anything. */
  kill(): void {
    if (this.#state === "RUNNING") this.#exit(EXIT_SIGKILL);
  }

  status(): ContainerStatus {
    const { id, sandboxId, config, imageRef, logDirectory } = this.options;
    return {
      id,
      name: config.name,
      sandboxId,
      attempt: config.attempt,
      state: this.#state,
      createdAtMs: this.#createdAtMs,
      startedAtMs: this.#startedAtMs,
      finishedAtMs: this.#finishedAtMs,
      exitCode: this.#exitCode,
      reason: this.#state === "EXITED" ? (this.#exitCode === 0 ? "Completed" : "Error") : "",
      message: "",
      image: config.image,
      imageRef,
      logPath: `${logDirectory}/${config.logPath}`,
      labels: config.labels,
      annotations: config.annotations,
    };
  }

  #exit(exitCode: number): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#state = "EXITED";
    this.#exitCode = exitCode;
    this.#finishedAtMs = this.options.clock.now();
    for (const resolve of this.#onExit.splice(0)) resolve();
    this.options.onChange();
  }
}
