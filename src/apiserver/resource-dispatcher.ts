// Requests on resources: those that a node, a pod or a service answers go there, the others to the registry.
import type { Endpoint, Exchange } from "./front/exchange.ts";
import { KubeletProxy } from "./front/kubelet-proxy.ts";
import { ProxyEndpoint } from "./front/proxy/proxy-endpoint.ts";

export interface ResourceDispatcherOptions {
  readonly registry: Endpoint;
  /** Absent: no exec, logs or port-forward. */
  readonly kubelets: Endpoint | undefined;
  /** Absent: no proxying. */
  readonly proxies: Endpoint | undefined;
}

export class ResourceDispatcher implements Endpoint {
  readonly #options: ResourceDispatcherOptions;

  constructor(options: ResourceDispatcherOptions) {
    this.#options = options;
  }

  serve(exchange: Exchange): Promise<void> | void {
    const { registry, kubelets, proxies } = this.#options;
    if (exchange.info.subresource === "") return registry.serve(exchange);
    if (kubelets !== undefined && KubeletProxy.handles(exchange)) return kubelets.serve(exchange);
    if (proxies !== undefined && ProxyEndpoint.handles(exchange)) return proxies.serve(exchange);
    return registry.serve(exchange);
  }
}
