// nftables by the command `nft`. Small scripts go to one that stays: to start it and to close its socket takes many times
// as long as the transaction itself.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import type { Clock, Timer } from "../../base/index.ts";
import { runCommand } from "../system/command.ts";

/** An interactive nft reads a script as one line; longer ones are given to a process of their own. */
const LONGEST_LINE = 16_384;
/** What the interactive nft is asked after each script: it says nothing about those that succeed. */
const MARKER = "describe tcp dport";
const MARKER_ANSWER = /^.*payload expression, datatype inet_service.* bits\n/m;
const ANSWER_TIMEOUT_MS = 10_000;
/** An nft that had nothing to do for so long is ended. */
const IDLE_MS = 30_000;

/** A script that nft refused, or that it did not answer. */
export class NftError extends Error {
  readonly code = "NFT";
}

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: NftError) => void;
  readonly timer: Timer;
}

export class Nft {
  readonly #clock: Clock;
  #child: ChildProcessWithoutNullStreams | undefined;
  #said = "";
  #waiting: Waiting[] = [];
  #idle: Timer | undefined;
  /** Debian's nft can be interactive, others may be built without. */
  #isInteractive = true;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Runs a script as one transaction. @throws NftError or CommandError with what nft says */
  async run(script: string, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (script.length > LONGEST_LINE || !this.#isInteractive) {
      await runCommand(["nft", "-f", "-"], { input: script, ...(signal === undefined ? {} : { signal }) });
      return;
    }
    await this.#ask(script.trim().replaceAll("\n", "; "));
  }

  close(): void {
    this.#idle?.cancel();
    this.#child?.stdin.end();
  }

  #ask(line: string): Promise<void> {
    this.#idle?.cancel();
    const child = this.#child ?? this.#start();
    const asked = new Promise<void>((resolve, reject) => {
      const timer = this.#clock.setTimeout(() => child.kill(), ANSWER_TIMEOUT_MS);
      this.#waiting.push({ resolve, reject, timer });
    });
    child.stdin.write(`${line}\n${MARKER}\n`);
    return asked;
  }

  #start(): ChildProcessWithoutNullStreams {
    const child = spawn("sh", ["-c", "exec nft -i 2>&1"]);
    this.#child = child;
    let hasAnswered = false;
    child.stdout.on("data", (chunk: Buffer) => {
      this.#said += chunk.toString();
      while (this.#takeAnswer()) hasAnswered = true;
    });
    child.stdin.on("error", () => child.kill());
    child.once("error", () => this.#ended(child));
    child.once("close", () => {
      if (!hasAnswered) this.#isInteractive = false;
      this.#ended(child);
    });
    return child;
  }

  #takeAnswer(): boolean {
    const marker = MARKER_ANSWER.exec(this.#said);
    const waiting = this.#waiting[0];
    if (marker === null || waiting === undefined) return false;
    const said = this.#said.slice(0, marker.index);
    this.#said = this.#said.slice(marker.index + marker[0].length);
    this.#waiting.shift();
    waiting.timer.cancel();
    if (/\bError:/.test(said)) waiting.reject(new NftError(`nft: ${said.trim().slice(0, 1000)}`));
    else waiting.resolve();
    if (this.#waiting.length === 0) this.#idle = this.#clock.setTimeout(() => this.#child?.stdin.end(), IDLE_MS);
    return true;
  }

  #ended(child: ChildProcessWithoutNullStreams): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    this.#idle?.cancel();
    const said = this.#said.trim();
    this.#said = "";
    for (const { timer, reject } of this.#waiting.splice(0)) {
      timer.cancel();
      reject(new NftError(`nft ended without an answer${said === "" ? "" : `: ${said.slice(0, 1000)}`}`));
    }
  }
}
