// Requests on resources: those that a node or pod answers go there, the others to the registry.
import type { Endpoint, Exchange } from "./front/exchange.ts";
import { KubeletProxy } from "./front/kubelet-proxy.ts";

export class ResourceDispatcher implements Endpoint {
  readonly #registry: Endpoint;
  readonly #kubelets: Endpoint | undefined;

  constructor(registry: Endpoint, kubelets: Endpoint | undefined) {
    this.#registry = registry;
    this.#kubelets = kubelets;
  }

  serve(exchange: Exchange): Promise<void> | void {
    if (this.#kubelets !== undefined && KubeletProxy.handles(exchange)) return this.#kubelets.serve(exchange);
    return this.#registry.serve(exchange);
  }
}
