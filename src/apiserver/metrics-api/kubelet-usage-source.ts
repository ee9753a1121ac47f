// Asks the kubelets of nodes over HTTPS, with the server's client certificate.
import { Agent, request } from "node:https";
import type { ApiHandler, ResourceCatalog } from "../../api/index.ts";
import type { Node } from "../../api/types/core/v1.ts";
import type { Clock } from "../../base/index.ts";
import { type DeepReadonly, statusError } from "../../machinery/index.ts";
import { loopbackUser } from "../authz/watched-collection.ts";
import { kubeletAddress } from "../front/kubelet-address.ts";
import type { KubeletProxyOptions } from "../front/kubelet-proxy.ts";
import { parseResourceMetrics } from "./resource-metrics.ts";
import type { NodeUsage, UsageSource } from "./usage.ts";

export interface KubeletUsageSourceOptions {
  readonly handler: Pick<ApiHandler, "get">;
  readonly catalog: ResourceCatalog;
  readonly clock: Pick<Clock, "now">;
  readonly kubeletTls: KubeletProxyOptions["kubeletTls"];
}

const TIMEOUT_MS = 10_000;
/** A node with hundreds of containers tells some hundred kilobytes. */
const MOST_BYTES = 16 * 1024 * 1024;

export class KubeletUsageSource implements UsageSource {
  readonly #options: KubeletUsageSourceOptions;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64, maxFreeSockets: 16, timeout: TIMEOUT_MS });

  constructor(options: KubeletUsageSourceOptions) {
    this.#options = options;
  }

  async read(nodeName: string): Promise<NodeUsage> {
    const { handler, catalog, clock } = this.#options;
    const resource = catalog.find("", "v1", "nodes");
    if (resource === undefined) throw new Error("the catalog has no nodes");
    const scope = { user: loopbackUser, resource, namespace: "", name: nodeName, subresource: "" };
    const { object } = await handler.get(scope, {});
    const text = await this.#fetch(nodeName, kubeletAddress(object as DeepReadonly<Node>));
    return parseResourceMetrics(text, clock.now());
  }

  /** The Host header is the node's name: one server may speak for many hollow nodes. */
  #fetch(nodeName: string, { host, port }: { readonly host: string; readonly port: number }): Promise<string> {
    const { key, cert, ca } = this.#options.kubeletTls;
    const options = {
      host,
      port,
      path: "/metrics/resource",
      headers: { host: nodeName },
      // Without this the certificate would be held against the Host header.
      servername: "",
      key,
      cert,
      ca,
      agent: this.#agent,
      timeout: TIMEOUT_MS,
    };
    return new Promise((resolve, reject) => {
      const outgoing = request(options, (answer) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        answer.on("data", (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > MOST_BYTES) answer.destroy(statusError("ServiceUnavailable", `node ${nodeName} sends too much`));
          else chunks.push(chunk);
        });
        answer.on("error", reject);
        answer.on("end", () => {
          if (answer.statusCode === 200) resolve(Buffer.concat(chunks).toString("utf8"));
          else reject(statusError("ServiceUnavailable", `node ${nodeName} answers ${answer.statusCode} for /metrics/resource`));
        });
      });
      outgoing.on("timeout", () => outgoing.destroy(new Error(`node ${nodeName} does not answer in time`)));
      outgoing.on("error", reject);
      outgoing.end();
    });
  }
}
