// Carries out probes from this host: commands by the runtime, everything else over the network.
import { connect } from "node:net";
import type { Probe } from "../../api/types/core/v1.ts";
import type { Clock } from "../../base/index.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { probeGrpc } from "./probe-grpc.ts";
import { probeHttp, probeUrl } from "./probe-http.ts";
import type { ProbeOutcome, Prober, ProbeTarget } from "./prober.ts";

export interface HostProberOptions {
  readonly runtime: Pick<Runtime, "execSync">;
  readonly clock: Clock;
}

/** What is kept of a command's output for the event. */
const MAX_OUTPUT_BYTES = 10 * 1024;

class ProbeTimeout extends Error {
  readonly code = "PROBE_TIMEOUT";
}

export class HostProber implements Prober {
  readonly #runtime: Pick<Runtime, "execSync">;
  readonly #clock: Clock;

  constructor({ runtime, clock }: HostProberOptions) {
    this.#runtime = runtime;
    this.#clock = clock;
  }

  async probe(probe: DeepReadonly<Probe>, target: ProbeTarget, signal?: AbortSignal): Promise<ProbeOutcome> {
    signal?.throwIfAborted();
    const limit = new AbortController();
    const onAbort = () => limit.abort(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    const timer = this.#clock.setTimeout(() => limit.abort(new ProbeTimeout("timed out")), target.timeoutSeconds * 1_000);
    try {
      return await this.#carryOut(probe, target, limit.signal);
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason;
      return { result: "unknown", output: error instanceof Error ? error.message : String(error) };
    } finally {
      timer.cancel();
      signal?.removeEventListener("abort", onAbort);
    }
  }

  async #carryOut(probe: DeepReadonly<Probe>, target: ProbeTarget, signal: AbortSignal): Promise<ProbeOutcome> {
    const { exec, httpGet, tcpSocket, grpc } = probe;
    if (exec !== undefined) return await this.#exec(exec.command ?? [], target, signal);
    if (httpGet !== undefined) {
      const url = probeUrl(httpGet, hostOf(httpGet.host, target), portNumber(httpGet.port, target));
      return await failing(probeHttp(url, httpGet.httpHeaders, signal), (error) => `Get "${url.href}": ${httpError(error, url)}`);
    }
    if (tcpSocket !== undefined) {
      const host = hostOf(tcpSocket.host, target);
      const port = portNumber(tcpSocket.port, target);
      return await failing(probeTcp(host, port, signal), (error) => dialError(error, joinAddress(host, port)));
    }
    if (grpc !== undefined) {
      const address = joinAddress(target.podIp, grpc.port);
      const explain = () => `timeout: failed to connect service "${address}" within ${target.timeoutSeconds}s: context deadline exceeded`;
      return await failing(probeGrpc(address, grpc.service ?? "", signal), explain);
    }
    return { result: "unknown", output: "missing probe handler" };
  }

  async #exec(command: readonly string[], target: ProbeTarget, signal: AbortSignal): Promise<ProbeOutcome> {
    const timedOut = `command timed out: "${command.join(" ")}" timed out after ${target.timeoutSeconds}s`;
    try {
      const { stdout, stderr, exitCode } = await this.#runtime.execSync(target.containerId, command, target.timeoutSeconds, signal);
      const output = Buffer.concat([stdout, stderr]).subarray(0, MAX_OUTPUT_BYTES).toString();
      return { result: exitCode === 0 ? "success" : "failure", output };
    } catch (error) {
      const isTimeout = error instanceof ProbeTimeout || (error instanceof Error && error.message.includes("code = DeadlineExceeded"));
      if (isTimeout) return { result: "failure", output: timedOut };
      throw error;
    }
  }
}

async function failing(outcome: Promise<ProbeOutcome>, explain: (error: unknown) => string): Promise<ProbeOutcome> {
  try {
    return await outcome;
  } catch (error) {
    return { result: "failure", output: explain(error) };
  }
}

function hostOf(host: string | undefined, target: ProbeTarget): string {
  return host === undefined || host === "" ? target.podIp : host;
}

function portNumber(port: number | string, target: ProbeTarget): number {
  const number = typeof port === "number" ? port : (target.ports.find(({ name }) => name === port)?.containerPort ?? Number(port));
  if (!(number > 0 && number < 65_536)) throw new Error(`couldn't find port: ${port}`);
  return number;
}

function joinAddress(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function probeTcp(host: string, port: number, signal: AbortSignal): Promise<ProbeOutcome> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, signal });
    socket.once("connect", () => {
      socket.destroy();
      resolve({ result: "success", output: "" });
    });
    socket.once("error", (error) => reject(signal.aborted ? signal.reason : error));
  });
}

/** Node's error codes in Go's words. */
const DIAL_ERRORS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connect: connection refused",
  EHOSTUNREACH: "connect: no route to host",
  ENETUNREACH: "connect: network is unreachable",
};

function dialError(error: unknown, address: string): string {
  if (error instanceof ProbeTimeout) return `dial tcp ${address}: i/o timeout`;
  const { code = "", message } = error as NodeJS.ErrnoException;
  return `dial tcp ${address}: ${DIAL_ERRORS[code] ?? message}`;
}

function httpError(error: unknown, url: URL): string {
  if (error instanceof ProbeTimeout) return "context deadline exceeded (Client.Timeout exceeded while awaiting headers)";
  const { code = "", message } = error as NodeJS.ErrnoException;
  if (code in DIAL_ERRORS)
    return dialError(error, url.host.includes(":") ? url.host : `${url.host}:${url.protocol === "https:" ? 443 : 80}`);
  return code === "ECONNRESET" ? "EOF" : message;
}
