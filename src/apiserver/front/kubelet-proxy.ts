// exec, attach, port-forward and logs: finds the pod's node and passes the request on to its kubelet; what runtimes do not speak
// is translated.
import type { ApiHandler, RequestScope, Resource } from "../../api/index.ts";
import type { Node, Pod } from "../../api/types/core/v1.ts";
import { badRequest, type DeepReadonly, internalError, isTrue } from "../../machinery/index.ts";
import { loopbackUser } from "../authz/watched-collection.ts";
import { admitConnection, authorizeRequest, type ConnectionGuards } from "./admit-connection.ts";
import type { Endpoint, Exchange } from "./exchange.ts";
import { type ForwardTarget, fetchAnswer, forward, passAnswer } from "./forward.ts";
import type { UpgradeExchange } from "./http-front.ts";
import { kubeletAddress } from "./kubelet-address.ts";
import type { RequestInfo } from "./request-info.ts";
import { resourceNotFound } from "./resource-endpoint.ts";
import { writeBody } from "./respond.ts";
import { dialSpdy } from "./streams/dial-spdy.ts";
import { carryPortForward, PORT_FORWARD_TUNNEL, SPDY_PORT_FORWARD } from "./streams/port-forward.ts";
import { carryRemoteCommand, REMOTE_COMMAND_V5, type RemoteStreams, SPDY_REMOTE_COMMAND } from "./streams/remote-command.ts";
import { acceptStreams, acceptWebSocket, offeredProtocols, sendBytes, wantsWebSocket } from "./web-socket.ts";

export interface KubeletProxyOptions extends ConnectionGuards {
  readonly handler: ApiHandler;
  /** The server's client certificate for kubelets, and the CA of theirs. */
  readonly kubeletTls: { readonly key: string | Buffer; readonly cert: string | Buffer; readonly ca: string | Buffer };
}

const tunnels = new Set(["exec", "attach", "portforward", "log"]);
/** With a WebSocket these come as GET, and yet need the permission to create. */
const interactive = new Set(["exec", "attach", "portforward"]);
const streamParameters = { stdin: "input", stdout: "output", stderr: "error", tty: "tty" } as const;
const logParameters = ["follow", "previous", "sinceSeconds", "sinceTime", "timestamps", "tailLines", "limitBytes", "stream"];

export class KubeletProxy implements Endpoint {
  readonly #options: KubeletProxyOptions;

  constructor(options: KubeletProxyOptions) {
    this.#options = options;
  }

  /** Whether requests on this subresource are passed on to a kubelet. */
  static handles({ info }: Pick<Exchange, "info">): boolean {
    return info.group === "" && info.resource === "pods" && tunnels.has(info.subresource);
  }

  async serve(exchange: Exchange): Promise<void> {
    const { info } = exchange;
    const { authorizer } = this.#options;
    await authorizeRequest(exchange, authorizer);
    if (interactive.has(info.subresource) && info.verb !== "create") await authorizeRequest(exchange, authorizer, "create");
    await admitConnection(exchange, this.#options);
    const pod = await this.#get<Pod>("pods", info.namespace, info.name);
    const { nodeName = "" } = pod.spec ?? {};
    const path = kubeletPath(exchange, pod);
    if (nodeName === "") {
      if (info.subresource !== "log") throw badRequest(`pod ${info.name} does not have a host assigned`);
      writeBody(exchange, 200, Buffer.alloc(0), "text/plain");
      return;
    }
    const target = await this.#kubelet(nodeName, path);
    if (info.subresource === "log" && isUpgrade(exchange)) await sendLog(exchange, target);
    else if (isUpgrade(exchange) && spokenHere(exchange) !== undefined) await carryStreams(exchange, target);
    else await forward(exchange, target);
  }

  async #kubelet(nodeName: string, path: string): Promise<ForwardTarget> {
    const { host, port } = kubeletAddress(await this.#get<Node>("nodes", "", nodeName));
    return { protocol: "https", host, port, path, tls: this.#options.kubeletTls };
  }

  async #get<T>(plural: string, namespace: string, name: string): Promise<DeepReadonly<T>> {
    const resource: Resource | undefined = this.#options.catalog.find("", "v1", plural);
    if (resource === undefined) throw resourceNotFound();
    const scope: RequestScope = { user: loopbackUser, resource, namespace, name, subresource: "" };
    return (await this.#options.handler.get(scope, {})).object as DeepReadonly<T>;
  }
}

function isUpgrade(exchange: Exchange): exchange is UpgradeExchange {
  return "upgrade" in exchange;
}

/** Kubelets tell logs in plain answers; over a WebSocket they go from here. */
async function sendLog(exchange: UpgradeExchange, target: ForwardTarget): Promise<void> {
  const answer = await fetchAnswer(exchange, target);
  if (answer.statusCode !== 200) {
    answer.resume();
    throw internalError(new Error(`the kubelet answered ${answer.statusCode}`));
  }
  const socket = await acceptWebSocket(exchange);
  socket.on("close", () => answer.destroy());
  await sendBytes(socket, answer);
}

/** The WebSocket protocol that is spoken here and not by the runtimes of nodes; undefined: the connection is passed on. */
function spokenHere({ request, info }: UpgradeExchange): string | undefined {
  const protocol = info.subresource === "portforward" ? PORT_FORWARD_TUNNEL : REMOTE_COMMAND_V5;
  return wantsWebSocket(request) && offeredProtocols(request).includes(protocol) ? protocol : undefined;
}

/** The client's connection is switched when the kubelet's is; a refusal is passed on. */
async function carryStreams(exchange: UpgradeExchange, target: ForwardTarget): Promise<void> {
  const { info, response } = exchange;
  const isPortForward = info.subresource === "portforward";
  const kubelet = await dialSpdy(target, isPortForward ? SPDY_PORT_FORWARD : SPDY_REMOTE_COMMAND);
  if ("refusal" in kubelet) {
    passAnswer(kubelet.refusal, response);
    return;
  }
  const close = () => kubelet.socket.destroy();
  kubelet.socket.on("error", close);
  response.once("close", close);
  const client = await acceptStreams(exchange, isPortForward ? PORT_FORWARD_TUNNEL : REMOTE_COMMAND_V5);
  if (isPortForward) carryPortForward(client, kubelet);
  else carryRemoteCommand(client, kubelet, streamsOf(info));
}

/** Which streams a command has, as the client asks for them. */
function streamsOf({ query }: RequestInfo): RemoteStreams {
  const wants = (name: string, otherwise: string) => isTrue(query?.get(name) ?? otherwise);
  return {
    stdin: wants("stdin", "false"),
    stdout: wants("stdout", "true"),
    stderr: wants("stderr", "true"),
    tty: wants("tty", "false"),
  };
}

/** The kubelet's path for the subresource, its parameters renamed. */
function kubeletPath({ info }: Exchange, pod: DeepReadonly<Pod>): string {
  const { namespace, name, subresource } = info;
  const asked = info.query ?? new URLSearchParams();
  const query = new URLSearchParams();
  const at = `${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;
  if (subresource === "portforward") {
    for (const ports of asked.getAll("ports")) for (const port of ports.split(",")) query.append("port", port);
    return `/portForward/${at}?${query}`;
  }
  const container = encodeURIComponent(containerOf(pod, asked.get("container") ?? ""));
  if (subresource === "log") {
    for (const key of logParameters) for (const value of asked.getAll(key)) query.append(key, value);
    return `/containerLogs/${at}/${container}?${query}`;
  }
  const streams = streamsOf(info);
  for (const [from, to] of Object.entries(streamParameters)) if (streams[from as keyof RemoteStreams]) query.append(to, "1");
  for (const command of asked.getAll("command")) query.append("command", command);
  return `/${subresource}/${at}/${container}?${query}`;
}

/** The container asked for, or the only one. */
function containerOf(pod: DeepReadonly<Pod>, asked: string): string {
  const { containers = [], initContainers = [], ephemeralContainers = [] } = pod.spec ?? {};
  const name = pod.metadata.name ?? "";
  if (asked !== "") {
    const isKnown = [...containers, ...initContainers, ...ephemeralContainers].some((container) => container.name === asked);
    if (!isKnown) throw badRequest(`container ${asked} is not valid for pod ${name}`);
    return asked;
  }
  const [only] = containers;
  if (only !== undefined && containers.length === 1) return only.name;
  const names = (list: readonly { readonly name: string }[]) => `[${list.map((container) => container.name).join(" ")}]`;
  const inits = initContainers.length === 0 ? "" : ` or one of the init containers: ${names(initContainers)}`;
  throw badRequest(`a container name must be specified for pod ${name}, choose one of: ${names(containers)}${inits}`);
}
