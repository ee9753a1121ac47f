// The API server's HTTP side: TLS for HTTP/1.1 and HTTP/2, then for every request authentication, routing by the path's
// first segments, the answer, and whatever went wrong as a Status.
import { createSecureServer, type Http2SecureServer } from "node:http2";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { UserInfo } from "../../api/index.ts";
import { type Clock, type Logger, type Random, uuid } from "../../base/index.ts";
import { badRequest, statusError } from "../../machinery/index.ts";
import type { Auditor } from "../audit/index.ts";
import type { Authenticator } from "../authn/authenticator.ts";
import { ClientCertificates } from "../authn/client-certificate.ts";
import { type FrontProxyOptions, proxiedUser } from "../authn/front-proxy.ts";
import type { Impersonator } from "../authn/impersonation.ts";
import { type Authorizer, type Decision, refusal } from "../authz/index.ts";
import type { FlowControl, Turn } from "../flow-control/index.ts";
import type { RequestObserver } from "../metrics/request-metrics.ts";
import { type Endpoint, type Exchange, type FrontRequest, type FrontResponse, header } from "./exchange.ts";
import { Recording } from "./recording.ts";
import { isLongRunning, parseRequest, type RequestInfo } from "./request-info.ts";
import { resourceNotFound } from "./resource-endpoint.ts";
import { writeError } from "./respond.ts";
import { upgradeResponse } from "./upgrade-response.ts";

/** How long a connection may wait for its next request: upstream's value, so that clients' pools find theirs open. */
const IDLE_TIMEOUT_MS = 90_000;

export interface TlsOptions {
  readonly key: string | Buffer;
  readonly cert: string | Buffer;
  /** Certificates whose client certificates are believed. */
  readonly clientCa: string | Buffer;
}

export interface HttpFrontOptions {
  readonly tls: TlsOptions;
  /** Whom to believe who the user is. */
  readonly frontProxy?: FrontProxyOptions | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly authenticator: Authenticator;
  readonly impersonator: Impersonator;
  readonly authorizer: Authorizer;
  /** Answers what is below /api/<version> and /apis/<group>/<version>. */
  readonly resources: Endpoint;
  /** Answers the rest by the first segment of the path; "" is the root. */
  readonly endpoints: ReadonlyMap<string, Endpoint>;
  readonly observer?: RequestObserver;
  /** Absent: every request goes on at once. */
  readonly flowControl?: FlowControl | undefined;
  /** Absent: nothing is recorded. */
  readonly auditor?: Auditor | undefined;
}

/** Where a stream ends that the client asked to upgrade: endpoints that tunnel take it over. */
export interface UpgradeExchange extends Exchange {
  readonly upgrade: { readonly socket: Duplex; readonly head: Buffer };
}

export class HttpFront {
  readonly #options: HttpFrontOptions;
  readonly #certificates: ClientCertificates;
  /** One for each address that is listened on. */
  readonly #servers = new Set<Http2SecureServer>();
  readonly #sockets = new Set<Duplex>();

  constructor(options: HttpFrontOptions) {
    this.#options = options;
    const { frontProxy } = options;
    this.#certificates = new ClientCertificates({ proxyCa: frontProxy?.ca, proxyNames: frontProxy?.allowedNames ?? [] });
  }

  /** Listens on one more address; resolves when connections are accepted there. */
  listen({ host, port }: { readonly host: string; readonly port: number }): Promise<AddressInfo> {
    const server = this.#makeServer();
    this.#servers.add(server);
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, host, () => {
        server.off("error", reject);
        resolve(server.address() as AddressInfo);
      });
    });
  }

  /** Stops accepting and ends every connection, watches and tunnels too. */
  async close(): Promise<void> {
    const closed = [...this.#servers].map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(closed);
  }

  /** Answers one request; never rejects. */
  async handle(request: FrontRequest, response: FrontResponse, upgrade?: UpgradeExchange["upgrade"]): Promise<void> {
    response.on("error", () => {});
    const auditId = header(request, "audit-id") ?? uuid(this.#options.random);
    response.setHeader("Audit-Id", auditId);
    response.setHeader("Cache-Control", "no-cache, private");
    const info = parseRequest(request.method ?? "GET", request.url ?? "/");
    const finish = info === undefined ? undefined : this.#options.observer?.begin(info);
    if (finish !== undefined) response.once("close", () => finish(response.statusCode));
    const recording = new Recording(this.#options.auditor, response, { auditId, request, info });
    try {
      if (info === undefined) throw badRequest("the URL cannot be decoded");
      const found = this.#authenticate(request, info);
      const authenticated = found instanceof Promise ? await found : found;
      const actsAs = this.#options.impersonator.impersonate(authenticated, request.headers);
      const user = actsAs instanceof Promise ? await actsAs : actsAs;
      const audit = recording.begin(authenticated, user);
      const turn = this.#turnOf(user, info, response);
      const release = turn instanceof Promise ? await turn : turn;
      const started = () => {
        release?.();
        audit?.started(200);
      };
      const exchange = { request, response, info, user, started, audit, ...(upgrade === undefined ? {} : { upgrade }) };
      const endpoint = this.#endpointOf(exchange);
      await (endpoint instanceof Promise ? await endpoint : endpoint).serve(exchange);
    } catch (error) {
      recording.fail(error);
      this.#fail(request, response, error);
    }
  }

  #makeServer(): Http2SecureServer {
    const { logger, frontProxy } = this.#options;
    const { key, cert, clientCa } = this.#options.tls;
    const ca = frontProxy === undefined ? clientCa : [clientCa, frontProxy.ca];
    const server = createSecureServer({ key, cert, ca, allowHTTP1: true, requestCert: true, rejectUnauthorized: false });
    // node reads it at every HTTP/1.1 answer; its types know it on http's servers only.
    Object.assign(server, { keepAliveTimeout: IDLE_TIMEOUT_MS });
    server.on("request", (request, response) => {
      void this.handle(request as unknown as FrontRequest, response as unknown as FrontResponse);
    });
    server.on("upgrade", (request: FrontRequest, socket: Duplex, head: Buffer) => {
      void this.handle(request, upgradeResponse(socket), { socket, head });
    });
    server.on("secureConnection", (socket: Duplex) => this.#track(socket));
    server.on("sessionError", (error) => logger.debug("http2 session failed", { error: error.message }));
    server.on("tlsClientError", (error) => logger.debug("TLS handshake failed", { error: error.message }));
    return server;
  }

  #authenticate(request: FrontRequest, info: RequestInfo): UserInfo | Promise<UserInfo> {
    const { authenticator, frontProxy } = this.#options;
    const peer = this.#certificates.peerOf(request.stream?.session ?? request.socket, request.socket);
    const isProxy = peer.is === "proxy" && frontProxy !== undefined;
    return authenticator.authenticate({
      path: info.path,
      bearerToken: bearerToken(header(request, "authorization")),
      proxiedUser: isProxy ? proxiedUser(request.headers, frontProxy) : undefined,
      certificateUser: peer.is === "user" ? peer.user : peer.is === "rejected" ? "rejected" : undefined,
    });
  }

  /** Waits for the request's turn, if it has to; answers how to give its seat back early. */
  #turnOf(user: UserInfo, info: RequestInfo, response: FrontResponse): Promise<(() => void) | undefined> | (() => void) | undefined {
    const { flowControl } = this.#options;
    if (flowControl === undefined || (info.verb !== "watch" && isLongRunning(info))) return undefined;
    if (info.verb === "watch" && info.isResource) response.once("close", flowControl.watches.begin(info));
    const entered = flowControl.enter(user, info, (cancel) => response.once("close", cancel));
    const take = (turn: Turn | undefined) => {
      if (turn === undefined) return undefined;
      response.setHeader("X-Kubernetes-PF-FlowSchema-UID", turn.schemaUid);
      response.setHeader("X-Kubernetes-PF-PriorityLevel-UID", turn.levelUid);
      response.once("close", turn.release);
      return turn.release;
    };
    return entered instanceof Promise ? entered.then(take) : take(entered);
  }

  #endpointOf(exchange: Exchange): Endpoint | Promise<Endpoint> {
    const { info, user } = exchange;
    if (info.isResource) return this.#options.resources;
    const { verb, path } = info;
    const attributes = { ...noResource, user, verb, path };
    const enter = (decision: Decision): Endpoint => {
      if (!decision.allowed) throw refusal(attributes, decision);
      const endpoint = this.#options.endpoints.get(info.segments[0] ?? "");
      if (endpoint === undefined) throw resourceNotFound();
      return endpoint;
    };
    const decision = this.#options.authorizer.authorize(attributes);
    return decision instanceof Promise ? decision.then(enter) : enter(decision);
  }

  #fail(request: FrontRequest, response: FrontResponse, error: unknown): void {
    try {
      const code = writeError(request, response, error);
      if (code >= 500) this.#options.logger.error("request failed", { url: request.url, error });
      // What is left of a refused body is not worth reading: the connection ends with the answer.
      if (code === statusError("RequestEntityTooLarge", "").code) request.resume();
    } catch (unwritable) {
      this.#options.logger.debug("answer could not be written", { error: unwritable });
      response.destroy();
    }
  }

  #track(socket: Duplex): void {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("error", () => {});
  }
}

const noResource = { group: "", version: "", resource: "", subresource: "", namespace: "", name: "" } as const;

function bearerToken(authorization: string | undefined): string | undefined {
  if (authorization === undefined || authorization.slice(0, 7).toLowerCase() !== "bearer ") return undefined;
  return authorization.slice(7).trim() || undefined;
}
