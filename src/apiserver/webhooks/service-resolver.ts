// Where a Service's traffic goes: one of its ready endpoints, drawn at random. For what the API server itself calls.

import type { Service } from "../../api/types/core/v1.ts";
import type { EndpointSlice } from "../../api/types/discovery/v1.ts";
import { type DeepReadonly, notFound, statusError } from "../../machinery/index.ts";
import { type ClusterView, lookUpAll, lookUpCached } from "../admission/cluster-view.ts";

export interface ServiceReference {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface ServiceResolver {
  /** Throws a StatusError: no such service or port, or no endpoint that is ready. */
  resolve(reference: ServiceReference): Address;
}

const SERVICE_LABEL = "kubernetes.io/service-name";

/** Resolves by the Services and EndpointSlices in the server's own caches. */
export class EndpointServiceResolver implements ServiceResolver {
  readonly #view: Pick<ClusterView, "cache" | "random">;

  constructor(view: Pick<ClusterView, "cache" | "random">) {
    this.#view = view;
  }

  resolve({ namespace, name, port }: ServiceReference): Address {
    const service = lookUpCached<Service>(this.#view, "core/services", `${namespace}/${name}`);
    if (service === undefined) throw notFound({ group: "", resource: "service" }, name);
    const { type = "ClusterIP", externalName = "", ports = [] } = service.spec ?? {};
    if (type === "ExternalName") return { host: externalName, port };
    const servicePort = ports.find((candidate) => candidate.port === port);
    if (servicePort === undefined) {
      throw statusError("ServiceUnavailable", `no service port ${port} found for service "${name}"`);
    }
    const slices = lookUpAll<EndpointSlice>(this.#view, "discovery.k8s.io/endpointslices", `${namespace}/`);
    const own = slices.filter(({ metadata }) => metadata.labels?.[SERVICE_LABEL] === name);
    const addresses = own.flatMap((slice) => readyAddresses(slice, servicePort.name ?? ""));
    const address = addresses[Math.floor(this.#view.random.next() * addresses.length)];
    if (address === undefined) throw statusError("ServiceUnavailable", `no endpoints available for service "${name}"`);
    return address;
  }
}

function readyAddresses({ endpoints = [], ports = [] }: DeepReadonly<EndpointSlice>, portName: string): Address[] {
  const port = ports.find(({ name = "" }) => name === portName)?.port;
  if (port === undefined) return [];
  const ready = endpoints.filter(({ conditions }) => conditions?.ready !== false);
  return ready.flatMap(({ addresses }) => addresses.map((host) => ({ host, port })));
}
