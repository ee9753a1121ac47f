// A configuration file that is followed while the server runs: what it says anew holds at once; while it cannot be understood,
// what it said before goes on.
// @see kubernetes `apiserver/pkg/server/options/authenticationconfig/metrics/metrics.go`
import { createHash } from "node:crypto";
import { readFileSync, watch } from "node:fs";
import { dirname } from "node:path";
import { Counter, Gauge, type Registry } from "prom-client";
import type { Clock, Logger } from "../../base/index.ts";

export interface FollowOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Registry;
  /** Tells this server's metrics from those of others. */
  readonly serverId: string;
  readonly signal: AbortSignal;
}

/** For changes that come by no event, as on some network file systems. */
const LOOK_MS = 60_000;

export class ConfigurationFile {
  /** Part of the metrics' names. */
  readonly #kind: "authentication" | "authorization";
  readonly #file: string;
  /** What holds now. */
  #text: string;

  constructor(kind: "authentication" | "authorization", file: string) {
    this.#kind = kind;
    this.#file = file;
    this.#text = readFileSync(file, "utf8");
  }

  static read(kind: "authentication" | "authorization", file: string | undefined): ConfigurationFile | undefined {
    return file === undefined ? undefined : new ConfigurationFile(kind, file);
  }

  get text(): string {
    return this.#text;
  }

  /** Calls `apply` with each new text, until the signal aborts; it throws when the text cannot be followed. */
  follow(apply: (text: string) => void, options: FollowOptions): void {
    const { clock, logger, signal } = options;
    const about = { kind: this.#kind, file: this.#file };
    const count = reloadMetrics(this.#kind, options);
    const look = () => {
      try {
        if (this.#takeNew(apply)) count("success");
      } catch (error) {
        count("failure");
        logger.error("cannot reload a configuration, going on with the one before", { ...about, error });
      }
    };
    // The directory, for files that are replaced.
    const watcher = watch(dirname(this.#file), { persistent: false }, look);
    watcher.on("error", (error) => logger.warn("cannot watch a configuration", { ...about, error }));
    signal.addEventListener("abort", () => watcher.close(), { once: true });
    void lookNowAndThen(clock, signal, look);
  }

  /** Whether there was something new. */
  #takeNew(apply: (text: string) => void): boolean {
    const text = readFileSync(this.#file, "utf8");
    if (text === this.#text) return false;
    apply(text);
    this.#text = text;
    return true;
  }
}

async function lookNowAndThen(clock: Clock, signal: AbortSignal, look: () => void): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(LOOK_MS, signal).catch(() => undefined);
    if (!signal.aborted) look();
  }
}

function reloadMetrics(kind: string, { clock, metrics, serverId }: FollowOptions): (status: "success" | "failure") => void {
  const apiserver_id_hash = `sha256:${createHash("sha256").update(serverId).digest("hex")}`;
  const prefix = `apiserver_${kind}_config_controller_automatic_reload`;
  const labelNames = ["status", "apiserver_id_hash"] as const;
  const registers = [metrics];
  const reloads = new Counter({
    name: `${prefix}s_total`,
    help: `Total number of automatic reloads of ${kind} configuration split by status and apiserver identity.`,
    labelNames,
    registers,
  });
  const last = new Gauge({
    name: `${prefix}_last_timestamp_seconds`,
    help: `Timestamp of the last automatic reload of ${kind} configuration split by status and apiserver identity.`,
    labelNames,
    registers,
  });
  return (status) => {
    reloads.inc({ status, apiserver_id_hash });
    last.set({ status, apiserver_id_hash }, clock.now() / 1000);
  };
}
