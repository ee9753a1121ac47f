// A container's own stop signal. Runtimes older than containerd 2.1 do not know it: there the node sends it itself.
import { constants } from "node:os";
import { kill } from "node:process";
import { type Clock, sleepWith } from "../../../base/index.ts";
import type { RuntimeCall } from "./pod-lister.ts";
import type { WireContainer, WireContainerStatus } from "./wire.ts";

/** What CRI calls a signal that Kubernetes calls `SIGUSR1` or `SIGRTMIN+1`. */
export function signalMessage(name: string): string {
  return `SIGNAL_${name.replace("+", "PLUS").replace("-", "MINUS")}`;
}

const FIRST_REALTIME = 34;
const LAST_REALTIME = 64;

/** Linux's number of a signal; undefined when there is none of that name. */
export function signalNumber(name: string): number | undefined {
  const [, base = "", distance = "0"] = /^(SIGRTMIN|SIGRTMAX)([+-]\d+)?$/.exec(name) ?? [];
  if (base !== "") return (base === "SIGRTMIN" ? FIRST_REALTIME : LAST_REALTIME) + Number(distance);
  if (name === "SIGCLD") return constants.signals.SIGCHLD;
  return Object.entries(constants.signals).find(([known]) => known === name)?.[1];
}

export interface StopRequest {
  readonly stopSignal: string;
  readonly graceSeconds: number;
  readonly signal?: AbortSignal | undefined;
}

const UNKNOWN_TO_RUNTIME = "SIGNAL_RUNTIME_DEFAULT";
const FIRST_LOOK_MS = 5;
const MAX_LOOK_MS = 500;

export class SignalStopper {
  readonly #call: RuntimeCall;
  readonly #clock: Clock;
  readonly #kill: (pid: number, signal: number) => void;

  constructor(call: RuntimeCall, clock: Clock, sendSignal: (pid: number, signal: number) => void = kill) {
    this.#call = call;
    this.#clock = clock;
    this.#kill = sendSignal;
  }

  /**
   * Sends the signal and waits until the container ends or its grace is over; answers whether it did. False means that
   * it is left to the runtime, which knows the signal.
   */
  async ask(id: string, { stopSignal, graceSeconds, signal }: StopRequest): Promise<boolean> {
    const number = signalNumber(stopSignal);
    if (graceSeconds <= 0 || number === undefined) return false;
    const request = { containerId: id, verbose: true };
    const answer = await this.#call<{ status: WireContainerStatus; info: Readonly<Record<string, string>> }>(
      "ContainerStatus",
      request,
      signal,
    );
    if (answer.status.stopSignal !== UNKNOWN_TO_RUNTIME || answer.status.state !== "CONTAINER_RUNNING") return false;
    const pid = processId(answer.info["info"]);
    if (pid === undefined) return false;
    this.#kill(pid, number);
    await this.#untilEnded(id, graceSeconds, signal);
    return true;
  }

  async #untilEnded(id: string, graceSeconds: number, signal: AbortSignal | undefined): Promise<void> {
    const deadlineMs = this.#clock.monotonic() + graceSeconds * 1000;
    for (let lookMs = FIRST_LOOK_MS; this.#clock.monotonic() < deadlineMs; lookMs = Math.min(2 * lookMs, MAX_LOOK_MS)) {
      await sleepWith(this.#clock, Math.min(lookMs, deadlineMs - this.#clock.monotonic()), signal);
      const { containers } = await this.#call<{ containers: WireContainer[] }>("ListContainers", { filter: { id } }, signal);
      if (containers[0]?.state !== "CONTAINER_RUNNING") return;
    }
  }
}

/** containerd tells the process in JSON, for people who look into it. */
function processId(info: string | undefined): number | undefined {
  const { pid } = JSON.parse(info ?? "{}") as { readonly pid?: unknown };
  return typeof pid === "number" && pid > 1 ? pid : undefined;
}
