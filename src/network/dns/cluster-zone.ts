// Answers questions about the cluster's zone from the informers' copies, to the letter of Kubernetes' DNS specification.
// @see https://github.com/kubernetes/dns/blob/master/docs/specification.md
import type { Answer, Question } from "dns-packet";
import { resources } from "../../api/index.ts";
import type { Service } from "../../api/types/core/v1.ts";
import type { EndpointSlice } from "../../api/types/discovery/v1.ts";
import type { Informer, InformerSource } from "../../client/index.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import { type EndpointRecord, endpointRecords } from "./endpoint-records.ts";

export interface ZoneAnswer {
  readonly rcode: "NOERROR" | "NXDOMAIN";
  readonly answers: readonly Answer[];
  /** Records that save the client another question: the addresses behind SRV targets. */
  readonly additionals: readonly Answer[];
}

/** How long clients may keep an answer. */
const TTL_SECONDS = 5;
const SPECIFICATION_VERSION = "1.1.0";

const BY_SERVICE = "service";
const BY_ADDRESS = "address";

const NO_DATA: ZoneAnswer = { rcode: "NOERROR", answers: [], additionals: [] };
const NO_NAME: ZoneAnswer = { rcode: "NXDOMAIN", answers: [], additionals: [] };

export class ClusterZone {
  readonly #domain: string;
  readonly #services: Informer<Service>;
  readonly #slices: Informer<EndpointSlice>;

  /** `domain` such as `cluster.local`. */
  constructor(informers: InformerSource, domain: string) {
    this.#domain = domain;
    this.#services = informers.informer(resources.services);
    this.#slices = informers.informer(resources.endpointslices);
    this.#services.addIndex(BY_ADDRESS, (service) => service.spec?.clusterIPs ?? []);
    this.#slices.addIndex(BY_SERVICE, (slice) => [
      `${slice.metadata.namespace}/${slice.metadata.labels?.["kubernetes.io/service-name"] ?? ""}`,
    ]);
    this.#slices.addIndex(BY_ADDRESS, (slice) => (slice.endpoints ?? []).flatMap((endpoint) => endpoint.addresses));
  }

  /** The answer, or undefined when the name is not ours to know (it is forwarded then). */
  resolve(question: Question): ZoneAnswer | undefined {
    const name = question.name.toLowerCase().replace(/\.$/, "");
    if (name.endsWith(".in-addr.arpa")) return this.#reverse(name, question);
    if (name !== this.#domain && !name.endsWith(`.${this.#domain}`)) return undefined;
    const labels = name === this.#domain ? [] : name.slice(0, -this.#domain.length - 1).split(".");
    const kind = labels.pop();
    if (kind === "svc") return this.#service(labels, question);
    if (kind === "pod") return this.#pod(labels, question);
    if (kind === "dns-version" && labels.length === 0)
      return this.#data(question.type === "TXT" ? [txt(question.name, SPECIFICATION_VERSION)] : []);
    return kind === undefined ? NO_DATA : NO_NAME;
  }

  /** The record that tells how long a "no" may be kept. */
  soa(serial: number): Answer {
    const data = {
      mname: `ns.dns.${this.#domain}`,
      rname: `hostmaster.${this.#domain}`,
      serial,
      refresh: 7200,
      retry: 1800,
      expire: 86_400,
      minimum: TTL_SECONDS,
    };
    return { type: "SOA", name: this.#domain, ttl: TTL_SECONDS, data };
  }

  /** `labels`: what stands before `svc`, such as [`_http`, `_tcp`, service, namespace]. */
  #service(labels: readonly string[], question: Question): ZoneAnswer {
    const namespace = labels.at(-1);
    const name = labels.at(-2);
    if (namespace === undefined) return NO_DATA;
    if (name === undefined) return this.#services.lister.list(namespace).length > 0 ? NO_DATA : NO_NAME;
    const service = this.#services.lister.get(namespace, name);
    if (service === undefined) return NO_NAME;
    const rest = labels.slice(0, -2);
    if (service.spec?.type === "ExternalName") return rest.length === 0 ? this.#externalName(service, question) : NO_NAME;
    if (rest[0]?.startsWith("_") === true) return this.#servicePorts(service, rest, question);
    if (rest.length > 1) return NO_NAME;
    const addresses = isHeadless(service)
      ? this.#endpoints(service, rest[0]).map((record) => record.address)
      : clusterAddresses(service, rest);
    if (addresses === undefined || (addresses.length === 0 && rest.length > 0)) return NO_NAME;
    return this.#data(addressAnswers(question, question.name, addresses));
  }

  #externalName(service: DeepReadonly<Service>, question: Question): ZoneAnswer {
    const target = service.spec?.externalName ?? "";
    return this.#data([{ type: "CNAME", name: question.name, ttl: TTL_SECONDS, data: target }]);
  }

  #servicePorts(service: DeepReadonly<Service>, [portLabel = "", protocolLabel]: readonly string[], question: Question): ZoneAnswer {
    if (protocolLabel === undefined) return NO_NAME;
    const portName = portLabel.slice(1);
    const protocol = protocolLabel.slice(1).toUpperCase();
    const targets = isHeadless(service)
      ? this.#headlessTargets(service, portName, protocol)
      : this.#clusterTargets(service, portName, protocol);
    if (targets.length === 0) return NO_NAME;
    if (question.type !== "SRV") return NO_DATA;
    const weight = Math.max(1, Math.floor(100 / targets.length));
    const answers: Answer[] = targets.map(({ target, port }) => ({
      type: "SRV",
      name: question.name,
      ttl: TTL_SECONDS,
      data: { priority: 0, weight, port, target },
    }));
    const additionals: Answer[] = targets.map(({ target, address }) => ({
      type: address.includes(":") ? "AAAA" : "A",
      name: target,
      ttl: TTL_SECONDS,
      data: address,
    }));
    return { rcode: "NOERROR", answers, additionals };
  }

  #clusterTargets(service: DeepReadonly<Service>, portName: string, protocol: string) {
    const target = this.#nameOf(service);
    return (service.spec?.ports ?? [])
      .filter((port) => port.name === portName && (port.protocol ?? "TCP") === protocol)
      .flatMap((port) => (service.spec?.clusterIPs ?? []).slice(0, 1).map((address) => ({ target, port: port.port, address })));
  }

  #headlessTargets(service: DeepReadonly<Service>, portName: string, protocol: string) {
    return this.#endpoints(service, undefined).flatMap((record) =>
      record.ports
        .filter((port) => port.name === portName && port.protocol === protocol)
        .map((port) => ({ target: `${record.hostname}.${this.#nameOf(service)}`, port: port.port, address: record.address })),
    );
  }

  /** The published endpoints of a headless Service, all or those of one host name. */
  #endpoints(service: DeepReadonly<Service>, hostname: string | undefined): EndpointRecord[] {
    const slices = this.#slices.lister.byIndex(BY_SERVICE, `${service.metadata.namespace}/${service.metadata.name}`);
    return slices.flatMap(endpointRecords).filter((record) => hostname === undefined || record.hostname === hostname);
  }

  /** `1-2-3-4.namespace.pod`: the address in the name, as upstream's default mode answers. */
  #pod(labels: readonly string[], question: Question): ZoneAnswer {
    const [dashed, namespace] = labels;
    if (dashed === undefined || namespace === undefined) return NO_DATA;
    const isAddress = /^\d{1,3}(-\d{1,3}){3}$/.test(dashed) && dashed.split("-").every((part) => Number(part) < 256);
    if (labels.length > 2 || !isAddress) return NO_NAME;
    return this.#data(addressAnswers(question, question.name, [dashed.replaceAll("-", ".")]));
  }

  #reverse(name: string, question: Question): ZoneAnswer | undefined {
    const address = name.slice(0, -".in-addr.arpa".length).split(".").reverse().join(".");
    const services = this.#services.lister.byIndex(BY_ADDRESS, address).map((service) => this.#nameOf(service));
    const hosts = this.#slices.lister.byIndex(BY_ADDRESS, address).flatMap((slice) => this.#hostNames(slice, address));
    const names = [...services, ...hosts];
    if (names.length === 0) return undefined;
    return this.#data(question.type === "PTR" ? names.map((data) => ({ type: "PTR", name: question.name, ttl: TTL_SECONDS, data })) : []);
  }

  #hostNames(slice: DeepReadonly<EndpointSlice>, address: string): string[] {
    const service = this.#services.lister.get(slice.metadata.namespace ?? "", slice.metadata.labels?.["kubernetes.io/service-name"] ?? "");
    if (service === undefined || !isHeadless(service)) return [];
    return endpointRecords(slice)
      .filter((record) => record.address === address)
      .map((record) => `${record.hostname}.${this.#nameOf(service)}`);
  }

  #nameOf(service: DeepReadonly<Service>): string {
    return `${service.metadata.name}.${service.metadata.namespace}.svc.${this.#domain}`;
  }

  #data(answers: readonly Answer[]): ZoneAnswer {
    return answers.length === 0 ? NO_DATA : { rcode: "NOERROR", answers, additionals: [] };
  }
}

function isHeadless(service: DeepReadonly<Service>): boolean {
  return service.spec?.clusterIP === "None";
}

/** A Service with an address of its own has no names below it. */
function clusterAddresses(service: DeepReadonly<Service>, rest: readonly string[]): readonly string[] | undefined {
  return rest.length === 0 ? (service.spec?.clusterIPs ?? []) : undefined;
}

function addressAnswers(question: Question, name: string, addresses: readonly string[]): Answer[] {
  const wanted = addresses.filter((address) => question.type === (address.includes(":") ? "AAAA" : "A"));
  return wanted.map((data) => ({ type: data.includes(":") ? "AAAA" : "A", name, ttl: TTL_SECONDS, data }));
}

function txt(name: string, data: string): Answer {
  return { type: "TXT", name, ttl: TTL_SECONDS, data };
}
