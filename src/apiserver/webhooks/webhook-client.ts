// Calls webhooks (admission, conversion) over HTTPS: finds the server behind a Service, checks its certificate, keeps
// connections open, and gives up in time.
import { Agent, request as httpsRequest, type RequestOptions } from "node:https";
import { isIP } from "node:net";
import type { Clock } from "../../base/index.ts";
import type { Address, ServiceResolver } from "./service-resolver.ts";
import { answerProblem, connectionProblem, WebhookCallError } from "./webhook-error.ts";

/** Where a webhook is: as in the `clientConfig` of webhook configurations and of a CRD's conversion. */
export interface WebhookConfig {
  readonly url?: string | undefined;
  readonly service?:
    | { readonly namespace: string; readonly name: string; readonly path?: string | undefined; readonly port?: number | undefined }
    | undefined;
  /** Base64 of PEM; absent: the system's authorities. */
  readonly caBundle?: string | undefined;
}

export interface WebhookCallOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** What a webhook is called, whatever its server's address. */
interface Place {
  /** For error texts. */
  readonly text: string;
  readonly hostname: string;
  readonly port: number;
  readonly path: string;
}

interface Call {
  readonly place: Place;
  readonly address: Address;
  readonly caBundle: string | undefined;
  readonly body: string;
  readonly signal: AbortSignal;
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

const DEFAULT_PORT = 443;
const IDLE_CONNECTIONS = 16;
/** Answers beyond this are refused: no admission or conversion needs more, and memory is finite. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

export class WebhookClient {
  readonly #resolver: ServiceResolver;
  readonly #clock: Pick<Clock, "setTimeout">;
  readonly #agent = new Agent({ keepAlive: true, maxFreeSockets: IDLE_CONNECTIONS });

  constructor({ resolver, clock }: { readonly resolver: ServiceResolver; readonly clock: Pick<Clock, "setTimeout"> }) {
    this.#resolver = resolver;
    this.#clock = clock;
  }

  /** The JSON that the webhook answers to `body`. Rejects with WebhookCallError, and with the signal's reason when that aborts. */
  async call(config: WebhookConfig, body: unknown, { timeoutMs, signal }: WebhookCallOptions): Promise<unknown> {
    signal?.throwIfAborted();
    const place = placeOf(config, timeoutMs);
    const failed = (problem: string, cause?: unknown) => new WebhookCallError(`Post "${place.text}": ${problem}`, { cause });
    const deadline = new AbortController();
    const timer = this.#clock.setTimeout(() => deadline.abort(), timeoutMs);
    const abort = AbortSignal.any([deadline.signal, ...(signal === undefined ? [] : [signal])]);
    let address: Address | undefined;
    try {
      address = this.#addressOf(config, place);
      const answer = await this.#post({ place, address, caBundle: config.caBundle, body: JSON.stringify(body), signal: abort });
      if (answer.status < 200 || answer.status > 206) throw new WebhookCallError(answerProblem(answer.status, answer.body));
      return parsed(answer.body);
    } catch (error) {
      signal?.throwIfAborted();
      if (deadline.signal.aborted) throw failed("context deadline exceeded", error);
      if (error instanceof WebhookCallError) throw error;
      throw failed(address === undefined ? messageOf(error) : connectionProblem(error, address, place.hostname), error);
    } finally {
      timer.cancel();
    }
  }

  /** Ends the connections that are kept open. */
  close(): void {
    this.#agent.destroy();
  }

  #addressOf({ service }: WebhookConfig, { hostname, port }: Place): Address {
    if (service === undefined) return { host: hostname, port };
    return this.#resolver.resolve({ namespace: service.namespace, name: service.name, port });
  }

  /** A connection that the other side closed while it was idle is no answer: then once more, on a new one. */
  async #post(call: Call): Promise<Answer> {
    const options = requestOptions(call);
    const first = await exchange({ ...options, agent: this.#agent }, call.body);
    if (first !== "stale") return first;
    const second = await exchange({ ...options, agent: false }, call.body);
    if (second === "stale") throw new Error("EOF");
    return second;
  }
}

function requestOptions({ place, address, caBundle = "", body, signal }: Call): RequestOptions {
  const { hostname, port, path } = place;
  return {
    method: "POST",
    host: address.host,
    port: address.port,
    path,
    headers: {
      host: `${isIP(hostname) === 6 ? `[${hostname}]` : hostname}:${port}`,
      accept: "application/json",
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
      "user-agent": "kube-apiserver-admission",
    },
    signal,
    ...(caBundle === "" ? {} : { ca: Buffer.from(caBundle, "base64").toString() }),
    ...(isIP(hostname) === 0 ? { servername: hostname } : {}),
  };
}

/** Services are always shown with their port. */
function placeOf({ url, service }: WebhookConfig, timeoutMs: number): Place {
  const timeout = `timeout=${timeoutMs / 1000}s`;
  if (service !== undefined) {
    const { namespace, name, path = "", port = DEFAULT_PORT } = service;
    const hostname = `${name}.${namespace}.svc`;
    const target = `/${path.replace(/^\//, "")}?${timeout}`;
    return { text: `https://${hostname}:${port}${target}`, hostname, port, path: target };
  }
  const parsedUrl = new URL(url ?? "");
  parsedUrl.search = parsedUrl.search === "" ? timeout : `${parsedUrl.search}&${timeout}`;
  const { href, pathname, search, port } = parsedUrl;
  const hostname = parsedUrl.hostname.replace(/^\[|\]$/g, "");
  return { text: href, hostname, port: port === "" ? DEFAULT_PORT : Number(port), path: pathname + search };
}

function exchange(options: RequestOptions, body: string): Promise<Answer | "stale"> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest(options, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes > MAX_ANSWER_BYTES) request.destroy(new Error("the answer is too long"));
      });
      response.on("error", reject);
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
    });
    request.on("error", (error: Error & { code?: string }) => {
      if (request.reusedSocket && error.code === "ECONNRESET") resolve("stale");
      else reject(error);
    });
    request.end(body);
  });
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (cause) {
    throw new WebhookCallError(`couldn't get version/kind; json parse error: ${messageOf(cause)}`, { cause });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
