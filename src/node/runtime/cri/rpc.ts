// gRPC calls over the runtime's socket: deadlines by the Clock, cancellation by AbortSignal, errors as RuntimeError.
import { fileURLToPath } from "node:url";
import { Client, credentials, Metadata, type MethodDefinition, type ServiceError, status } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import type { Clock } from "../../../base/index.ts";
import { RuntimeError } from "../runtime.ts";

/** kubelet's limit: a list of many containers is longer than gRPC's 4 MiB. */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

export type Method = MethodDefinition<object, object>;

/** Reads a .proto beside this file and answers its methods by `package.Service/Method`. */
export function loadProtocol(file: string): ReadonlyMap<string, Method> {
  const definition = loadSync(fileURLToPath(new URL(file, import.meta.url)), {
    longs: Number,
    enums: String,
    defaults: true,
    arrays: true,
  });
  const methods = new Map<string, Method>();
  for (const [name, entry] of Object.entries(definition)) {
    if ("format" in entry) continue;
    for (const [method, facts] of Object.entries(entry)) methods.set(`${name}/${method}`, facts as Method);
  }
  return methods;
}

export interface CallLimits {
  /** 0 waits without end. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

export class Rpc {
  readonly #client: Client;
  readonly #clock: Clock;

  constructor(socketPath: string, clock: Clock) {
    this.#clock = clock;
    this.#client = new Client(`unix://${socketPath}`, credentials.createInsecure(), {
      "grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
      "grpc.max_send_message_length": MAX_MESSAGE_BYTES,
      "grpc.initial_reconnect_backoff_ms": 100,
      "grpc.max_reconnect_backoff_ms": 3_000,
    });
  }

  /** One request, one answer. Rejects with RuntimeError, or with the signal's reason. */
  unary<Response>(method: Method, request: object, limits: CallLimits): Promise<Response> {
    const { signal, timeoutMs } = limits;
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason);
        return;
      }
      let isTimedOut = false;
      const onAbort = () => call.cancel();
      const timer =
        timeoutMs === 0
          ? undefined
          : this.#clock.setTimeout(() => {
              isTimedOut = true;
              call.cancel();
            }, timeoutMs);
      const call = this.#client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        (error, response) => {
          timer?.cancel();
          signal?.removeEventListener("abort", onAbort);
          if (error === null) resolve(response as Response);
          else if (signal?.aborted === true) reject(signal.reason);
          else if (isTimedOut) reject(deadlineExceeded(method, timeoutMs, error));
          else reject(toRuntimeError(error));
        },
      );
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** Answers until the server ends them or the signal aborts (then it ends without an error). */
  async *stream<Response>(method: Method, request: object, signal: AbortSignal, headers: Record<string, string>): AsyncIterable<Response> {
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
    const call = this.#client.makeServerStreamRequest(method.path, method.requestSerialize, method.responseDeserialize, request, metadata);
    const onAbort = () => call.cancel();
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      if (signal.aborted) return;
      for await (const message of call) yield message as Response;
    } catch (error) {
      if (!signal.aborted) throw isServiceError(error) ? toRuntimeError(error) : error;
    } finally {
      signal.removeEventListener("abort", onAbort);
      call.cancel();
    }
  }

  close(): void {
    this.#client.close();
  }
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && "code" in error && "details" in error;
}

const RUNTIME_CODES: ReadonlyMap<number, RuntimeError["code"]> = new Map([
  [status.NOT_FOUND, "NOT_FOUND"],
  [status.ALREADY_EXISTS, "ALREADY_EXISTS"],
  [status.UNAVAILABLE, "UNAVAILABLE"],
]);

/** Names of gRPC codes as Go prints them: `DeadlineExceeded`. */
function codeName(code: number): string {
  if (code === status.OK) return "OK";
  const words = (status[code] ?? "UNKNOWN").toLowerCase().split("_");
  return words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
}

/** The runtime's error in the wording that events and container states show. */
export function toRuntimeError(error: ServiceError): RuntimeError {
  const message = `rpc error: code = ${codeName(error.code)} desc = ${error.details}`;
  return new RuntimeError(RUNTIME_CODES.get(error.code) ?? "FAILED", message, { cause: error });
}

function deadlineExceeded(method: Method, timeoutMs: number, cause: unknown): RuntimeError {
  const message = `rpc error: code = DeadlineExceeded desc = ${method.path} took longer than ${timeoutMs} ms`;
  return new RuntimeError("FAILED", message, { cause });
}

/** Whether the other side does not know the method. */
export function isUnimplemented(error: unknown): boolean {
  return error instanceof RuntimeError && isServiceError(error.cause) && error.cause.code === status.UNIMPLEMENTED;
}
