// Asks an API server behind a Service for its discovery and OpenAPI documents: that it answers is the check of its
// availability.
import { createHash } from "node:crypto";
import { Agent, request } from "node:https";
import type { APIService } from "../../api/types/apiregistration/v1.ts";
import type { Clock } from "../../base/index.ts";
import { type DeepReadonly, isNotFound, StatusError } from "../../machinery/index.ts";
import type { SwaggerDocument } from "../openapi/index.ts";
import type { Address, ServiceReference, ServiceResolver } from "../webhooks/index.ts";
import { connectionProblem } from "../webhooks/webhook-error.ts";
import { failedVerdict, type Missing, missingVerdict, passedVerdict, type Verdict } from "./availability.ts";
import type { RemoteResource } from "./remote-discovery.ts";
import { type ProxyCertificate, serviceOf, tlsTo, userHeaders } from "./remote-server.ts";

export interface Probe {
  readonly verdict: Verdict;
  /** undefined when the server did not answer. */
  readonly resources: readonly RemoteResource[] | undefined;
  /** The path of its OpenAPI v3 document for the group and version, with its hash. */
  readonly openApiPath?: string | undefined;
  readonly openApiV2?: RemoteOpenApiV2 | undefined;
}

/** Its OpenAPI v2 document. */
export interface RemoteOpenApiV2 {
  /** Another document has another one. */
  readonly hash: string;
  /** The server's own tag, to ask whether it is still the same. */
  readonly etag: string | undefined;
  readonly document: SwaggerDocument;
}

interface Answer {
  readonly code: number;
  readonly etag: string | undefined;
  readonly body: Buffer;
}

export interface RemoteProberOptions {
  readonly resolver: ServiceResolver;
  readonly certificate: ProxyCertificate;
  readonly clock: Pick<Clock, "setTimeout">;
}

const TIMEOUT_MS = 5_000;
const NOT_MODIFIED = 304;
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;
/** As upstream's checks call themselves. */
const prober = { name: "system:kube-aggregator", groups: ["system:masters"] };

export class RemoteProber {
  readonly #options: RemoteProberOptions;
  readonly #agent = new Agent({ keepAlive: true, maxFreeSockets: 1 });

  constructor(options: RemoteProberOptions) {
    this.#options = options;
  }

  /** `service` must have a service behind it, `known` is its last probe. Never rejects for what the server does. */
  async probe(service: DeepReadonly<APIService>, known: Probe | undefined): Promise<Probe> {
    const reference = serviceOf(service);
    if (reference === undefined) throw new Error(`${service.metadata.name} has no service`);
    const address = this.#resolve(reference);
    if (typeof address === "string") return { verdict: missingVerdict(address, reference), resources: undefined };
    const path = `/apis/${service.spec?.group}/${service.spec?.version}`;
    try {
      const list = (await this.#get(service, address, path)) as { readonly resources?: readonly RemoteResource[] };
      const [openApiPath, openApiV2] = await Promise.all([
        this.#openApiPath(service, address, path),
        this.#openApiV2(service, address, known?.openApiV2),
      ]);
      return { verdict: passedVerdict, resources: list.resources ?? [], openApiPath, openApiV2 };
    } catch (error) {
      const { name, namespace } = reference;
      const problem = connectionProblem(error, address, `${name}.${namespace}.svc`);
      return { verdict: failedVerdict(`https://${address.host}:${address.port}${path}`, problem), resources: undefined };
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  #resolve(reference: ServiceReference): Address | Missing {
    try {
      return this.#options.resolver.resolve(reference);
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      if (isNotFound(error)) return "service";
      return error.message.startsWith("no service port") ? "port" : "endpoints";
    }
  }

  /** A server without OpenAPI v3 is a server all the same. */
  async #openApiPath(service: DeepReadonly<APIService>, address: Address, path: string): Promise<string | undefined> {
    try {
      const index = (await this.#get(service, address, "/openapi/v3")) as {
        readonly paths?: Readonly<Record<string, { readonly serverRelativeURL?: string }>>;
      };
      return index.paths?.[path.slice(1)]?.serverRelativeURL;
    } catch {
      return undefined;
    }
  }

  async #openApiV2(
    service: DeepReadonly<APIService>,
    address: Address,
    known: RemoteOpenApiV2 | undefined,
  ): Promise<RemoteOpenApiV2 | undefined> {
    try {
      const headers = known?.etag === undefined ? {} : { "if-none-match": known.etag };
      const { code, etag, body } = await this.#ask(service, address, { path: "/openapi/v2", headers });
      if (code === NOT_MODIFIED) return known;
      if (code !== 200) return undefined;
      return { hash: createHash("sha256").update(body).digest("hex"), etag, document: JSON.parse(body.toString("utf8")) };
    } catch {
      return undefined;
    }
  }

  async #get(service: DeepReadonly<APIService>, address: Address, path: string): Promise<unknown> {
    const { code, body } = await this.#ask(service, address, { path, headers: {} });
    if (code < 200 || code > 299) throw new Error(`bad status from https://${address.host}:${address.port}${path}: ${code}`);
    return JSON.parse(body.toString("utf8"));
  }

  #ask(
    service: DeepReadonly<APIService>,
    { host, port }: Address,
    { path, headers: more }: { readonly path: string; readonly headers: Readonly<Record<string, string>> },
  ): Promise<Answer> {
    const headers = { accept: "application/json", ...userHeaders(prober), ...more };
    const options = { host, port, path, headers, agent: this.#agent, ...tlsTo(service, this.#options.certificate) };
    return new Promise((resolve, reject) => {
      const outgoing = request(options, (answer) => {
        const chunks: Buffer[] = [];
        let size = 0;
        answer.on("data", (chunk: Buffer) => {
          size += chunk.byteLength;
          if (size > MAX_ANSWER_BYTES) outgoing.destroy(new Error("the answer is too large"));
          else chunks.push(chunk);
        });
        answer.on("error", reject);
        answer.on("end", () => resolve({ code: answer.statusCode ?? 0, etag: answer.headers.etag, body: Buffer.concat(chunks) }));
      });
      const timer = this.#options.clock.setTimeout(() => outgoing.destroy(new Error("context deadline exceeded")), TIMEOUT_MS);
      outgoing.on("error", reject);
      outgoing.on("close", () => timer.cancel());
      outgoing.end();
    });
  }
}
