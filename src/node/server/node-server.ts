// kubelet's HTTPS server: logs, exec, attach and port-forward for the API server, metrics and stats for its scrapers.
// Callers prove who they are with a certificate of the cluster's CA.
import { constants } from "node:crypto";
import { access } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { SecureContextOptions, TLSSocket } from "node:tls";
import type { UserInfo } from "../../api/index.ts";
import type { Clock, Logger } from "../../base/index.ts";
import { isTrue } from "../../machinery/index.ts";
import { type FileWatcher, hostFileWatcher } from "../logs/file-watcher.ts";
import { readLog } from "../logs/log-reader.ts";
import type { ContainerStatus } from "../runtime/runtime.ts";
import { parseLogQuery } from "./container-logs.ts";
import { HttpError, httpErrorOf } from "./http-error.ts";
import { NodeReports, type NodeReportsOptions } from "./node-reports.ts";
import { PodTargets } from "./pod-target.ts";
import { accessOf, type NodeRoute, routeOf } from "./request-route.ts";
import { tunnel } from "./tunnel.ts";

export interface NodeTls {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
  /** The CA whose certificates callers show. */
  readonly clientCa: string;
}

export interface NodeServerOptions extends NodeReportsOptions {
  readonly tls: NodeTls;
  /** Whether the user may do `verb` on this node's `subresource`: proxy, metrics, stats, healthz, pods. */
  readonly authorize: (user: UserInfo, verb: string, subresource: string) => Promise<boolean>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Default: inotify. */
  readonly watcher?: FileWatcher;
}

type ContainerRoute = Extract<NodeRoute, { readonly container: string }>;

const YOUNG_MS = 1000;
const YOUNG_POLL_MS = 100;

export class NodeServer {
  readonly #options: NodeServerOptions;
  readonly #targets: PodTargets;
  readonly #reports: NodeReports;
  readonly #server: Server;
  readonly #connections = new Set<Duplex>();

  constructor(options: NodeServerOptions) {
    this.#options = options;
    this.#targets = new PodTargets(options.pods, options.runtime);
    this.#reports = new NodeReports(options);
    const tls = { ...secureContext(options.tls), requestCert: true, rejectUnauthorized: false };
    this.#server = createServer({ ...tls, allowHalfOpen: true, ALPNProtocols: ["http/1.1"] });
    this.#server.on("request", (request, response) => void this.#serve(request, response));
    this.#server.on("upgrade", (request, socket, head) => void this.#upgrade(request, socket, head));
    this.#server.on("secureConnection", (socket) => this.#remember(socket));
  }

  /** Answers the port. */
  listen(port: number, host: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, host, () => {
        this.#server.off("error", reject);
        resolve((this.#server.address() as AddressInfo).port);
      });
    });
  }

  /** New connections use these certificates. */
  setTls(tls: NodeTls): void {
    this.#server.setSecureContext(secureContext(tls));
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const connection of this.#connections) connection.destroy();
    await closed;
  }

  #remember(socket: Duplex): void {
    this.#connections.add(socket);
    socket.once("close", () => this.#connections.delete(socket));
    socket.on("error", () => socket.destroy());
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.#answer(request, response);
    } catch (error) {
      const { code, message } = httpErrorOf(error);
      if (response.headersSent) response.destroy();
      else response.writeHead(code, { "Content-Type": "text/plain; charset=utf-8" }).end(message);
    }
  }

  /** The route, for a caller that may use it. */
  async #admit(request: IncomingMessage): Promise<{ readonly route: NodeRoute; readonly query: URLSearchParams }> {
    const user = userOf(request.socket as TLSSocket);
    if (user === undefined) throw new HttpError(401, "Unauthorized");
    const url = new URL(request.url ?? "/", "https://node");
    const route = routeOf(url.pathname);
    if (route === undefined) throw new HttpError(404, "404 page not found");
    const { verb, subresources } = accessOf(request.method ?? "GET", route);
    if (!(await this.#isAllowed(user, verb, subresources))) {
      const { nodeName } = this.#options;
      throw new HttpError(
        403,
        `Forbidden (user=${user.name}, verb=${verb}, resource=nodes, subresource(s)=[${subresources.join(" ")}], node=${nodeName})`,
      );
    }
    return { route, query: url.searchParams };
  }

  async #isAllowed(user: UserInfo, verb: string, subresources: readonly string[]): Promise<boolean> {
    for (const subresource of subresources) if (await this.#options.authorize(user, verb, subresource)) return true;
    return false;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { route, query } = await this.#admit(request);
    switch (route.type) {
      case "containerLogs":
        return await this.#logs(route, query, response);
      case "run":
        return await this.#run(route, query, response);
      case "exec":
      case "attach":
      case "portForward":
        throw new HttpError(400, "you must specify at least 1 of stdin, stdout, stderr over an upgraded connection");
      default: {
        const { contentType, body } = await this.#reports.answer(route.type, query);
        return send(response, contentType, body);
      }
    }
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    try {
      const { route, query } = await this.#admit(request);
      const url = await this.#streamUrl(route, query);
      await tunnel(request, socket, head, { url, clock: this.#options.clock });
    } catch (error) {
      const { code, message } = httpErrorOf(error);
      const length = Buffer.byteLength(message);
      const headers = `Content-Type: text/plain; charset=utf-8\r\nContent-Length: ${length}\r\nConnection: close`;
      socket.end(
        `HTTP/1.1 ${code} ${code === 401 ? "Unauthorized" : code === 403 ? "Forbidden" : "Error"}\r\n${headers}\r\n\r\n${message}`,
      );
    }
  }

  async #streamUrl(route: NodeRoute, query: URLSearchParams): Promise<URL> {
    const { runtime } = this.#options;
    if (route.type === "portForward") {
      const sandboxId = await this.#targets.sandboxId(route.namespace, route.pod);
      return await runtime.portForwardUrl(sandboxId, portsOf(query));
    }
    if (route.type !== "exec" && route.type !== "attach") throw new HttpError(400, "Upgrade request required on another path");
    const container = await this.#targets.runningContainer(route.namespace, route.pod, route.container);
    const { id } = container;
    if (route.type === "attach") await this.#outliveFirstSecond(container);
    const tty = isTrue(query.get("tty"));
    const wants = (...names: readonly string[]) => names.some((name) => isTrue(query.get(name)));
    // With a terminal both outputs are one.
    const streams = { tty, stdin: wants("input", "stdin"), stdout: wants("output", "stdout"), stderr: !tty && wants("error", "stderr") };
    if (!(streams.stdin || streams.stdout || streams.stderr))
      throw new HttpError(400, "you must specify at least 1 of stdin, stdout, stderr");
    return route.type === "exec"
      ? await runtime.execUrl(id, { command: query.getAll("command"), ...streams })
      : await runtime.attachUrl(id, streams);
  }

  /**
   * What a container wrote before someone attaches is in its log only. One that ends within its first second is taken as
   * ended, so that `kubectl run -i` shows the log of a short command instead of attaching to the rest of it; upstream's
   * kubelet, which looks at containers once a second, comes to the same.
   */
  async #outliveFirstSecond({ id, name, startedAtMs }: ContainerStatus): Promise<void> {
    const { clock, runtime } = this.#options;
    while (clock.now() - startedAtMs < YOUNG_MS) {
      await clock.sleep(YOUNG_POLL_MS);
      const { state } = await runtime.containerStatus(id);
      if (state !== "RUNNING") throw new HttpError(404, `container not found ("${name}")`);
    }
  }

  async #logs(route: ContainerRoute, query: URLSearchParams, response: ServerResponse): Promise<void> {
    const { clock, runtime, watcher = hostFileWatcher } = this.#options;
    const { isFollow, isPrevious, ...selection } = parseLogQuery(query, clock.now());
    const { id, logPath, state } = await this.#targets.loggedContainer(route.namespace, route.pod, route.container, {
      previous: isPrevious,
    });
    const isRunning = async () => (await runtime.containerStatus(id).catch(() => undefined))?.state === "RUNNING";
    const follow = isFollow && state === "RUNNING" ? { follow: { isRunning, watcher, clock } } : {};
    await access(logPath).catch((error: Error) => {
      throw new HttpError(500, `cannot open the log of container "${route.container}": ${error.message}`, { cause: error });
    });
    const abort = new AbortController();
    response.once("close", () => abort.abort());
    response.writeHead(200, { "Content-Type": "text/plain; charset=utf-8" });
    response.flushHeaders();
    await pipeline(readLog(logPath, { ...selection, ...follow, signal: abort.signal }), response);
  }

  async #run(route: ContainerRoute, query: URLSearchParams, response: ServerResponse): Promise<void> {
    const { id } = await this.#targets.runningContainer(route.namespace, route.pod, route.container);
    const command = (query.get("cmd") ?? "").split(" ");
    const { stdout, stderr, exitCode } = await this.#options.runtime.execSync(id, command, 0);
    const output = Buffer.concat([stdout, stderr]);
    if (exitCode !== 0) throw new HttpError(500, `command '${command.join(" ")}' exited with ${exitCode}: ${output.toString()}`);
    send(response, "text/plain; charset=utf-8", output);
  }
}

function secureContext({ cert, key, clientCa }: NodeTls): SecureContextOptions {
  // A resumed session does not show the caller's certificate again.
  return { cert, key, ca: clientCa, minVersion: "TLSv1.2", secureOptions: constants.SSL_OP_NO_TICKET };
}

/** Who the caller's certificate names; undefined without one that the CA signed. */
function userOf(socket: TLSSocket): UserInfo | undefined {
  if (!socket.authorized) return undefined;
  const { subject } = socket.getPeerCertificate();
  if (subject?.CN === undefined) return undefined;
  // Several O make a list, which the declared type does not know.
  const groups = [subject.O ?? []].flat();
  return { name: String(subject.CN), groups: [...groups, "system:authenticated"] };
}

function portsOf(query: URLSearchParams): readonly number[] {
  return query
    .getAll("port")
    .flatMap((ports) => ports.split(","))
    .map(Number);
}

function send(response: ServerResponse, contentType: string, body: string | Buffer): void {
  response.writeHead(200, { "Content-Type": contentType, "Content-Length": Buffer.byteLength(body) }).end(body);
}
