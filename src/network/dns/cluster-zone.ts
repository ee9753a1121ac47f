// Answers questions about the cluster's zone from the informers' copies, to the letter of Kubernetes' DNS specification.
// @see https://github.com/kubernetes/dns/blob/master/docs/specification.md
import type { Answer, Question } from "dns-packet";
import ipaddr from "ipaddr.js";
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

export interface ClusterZoneOptions {
  /** Such as `cluster.local`. */
  readonly domain: string;
  /** Where the zone is answered: what its NS record leads to. */
  readonly serverAddress: string;
}

export class ClusterZone {
  readonly #domain: string;
  readonly #serverAddress: string;
  readonly #services: Informer<Service>;
  readonly #slices: Informer<EndpointSlice>;

  constructor(informers: InformerSource, { domain, serverAddress }: ClusterZoneOptions) {
    this.#domain = domain;
    this.#serverAddress = serverAddress;
    this.#services = informers.informer(resources.services);
    this.#slices = informers.informer(resources.endpointslices);
    this.#services.addIndex(BY_ADDRESS, (service) => service.spec?.clusterIPs ?? []);
    this.#slices.addIndex(BY_SERVICE, (slice) => [
      `${slice.metadata.namespace}/${slice.metadata.labels?.["kubernetes.io/service-name"] ?? ""}`,
    ]);
    this.#slices.addIndex(BY_ADDRESS, (slice) => (slice.endpoints ?? []).flatMap((endpoint) => endpoint.addresses));
  }

  /** Calls `listener` after anything that answers are made of has changed. */
  onChange(listener: () => void): void {
    this.#services.onChange({ added: listener, updated: listener, deleted: listener });
    this.#slices.onChange({ added: listener, updated: listener, deleted: listener });
  }

  /** The answer, or undefined when the name is not ours to know (it is forwarded then). */
  resolve(question: Question): ZoneAnswer | undefined {
    const name = question.name.toLowerCase().replace(/\.$/, "");
    const address = reversedAddress(name);
    if (address !== undefined) return this.#reverse(address, question);
    if (name !== this.#domain && !name.endsWith(`.${this.#domain}`)) return undefined;
    const labels = name === this.#domain ? [] : name.slice(0, -this.#domain.length - 1).split(".");
    const kind = labels.pop();
    if (kind === "svc") return this.#service(labels, question);
    if (kind === "pod") return this.#pod(labels, question);
    if (kind === "dns-version" && labels.length === 0)
      return this.#data(question.type === "TXT" ? [txt(question.name, SPECIFICATION_VERSION)] : []);
    if (kind === "dns" && labels.join() === "ns") return this.#data(addressAnswers(question, question.name, [this.#serverAddress]));
    return kind === undefined ? this.#apex(question) : NO_NAME;
  }

  /** The domain itself: who answers for it. */
  #apex({ type, name }: Question): ZoneAnswer {
    if (type === "SOA") return this.#data([{ ...this.soa(0), name }]);
    if (type !== "NS") return NO_DATA;
    const server = `ns.dns.${this.#domain}`;
    const data: Answer = { type: "NS", name, ttl: TTL_SECONDS, data: server };
    return { rcode: "NOERROR", answers: [data], additionals: addressAnswers({ type: "A", name: server }, server, [this.#serverAddress]) };
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

  /** `1-2-3-4.namespace.pod`, or `fd00--1.namespace.pod`: the address in the name, as upstream's default mode answers. */
  #pod(labels: readonly string[], question: Question): ZoneAnswer {
    const [dashed, namespace] = labels;
    if (dashed === undefined || namespace === undefined) return NO_DATA;
    const address = undashed(dashed);
    if (labels.length > 2 || address === undefined) return NO_NAME;
    return this.#data(addressAnswers(question, question.name, [address]));
  }

  #reverse(address: string, question: Question): ZoneAnswer | undefined {
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

/** The address that a name below `in-addr.arpa` or `ip6.arpa` is about; "" when it is about none. */
function reversedAddress(name: string): string | undefined {
  const [, labels, family] = /^(.*)\.(in-addr|ip6)\.arpa$/.exec(name) ?? [];
  if (labels === undefined) return undefined;
  const parts = labels.split(".").reverse();
  if (family === "in-addr") return parts.join(".");
  const groups = parts.join("").match(/.{1,4}/g) ?? [];
  return groups.length === 8 && ipaddr.IPv6.isValid(groups.join(":")) ? ipaddr.IPv6.parse(groups.join(":")).toString() : "";
}

/** The address in a name such as `10-244-0-5` or `fd00--1`. */
function undashed(text: string): string | undefined {
  const ipv4 = text.replaceAll("-", ".");
  if (ipaddr.IPv4.isValidFourPartDecimal(ipv4)) return ipv4;
  const ipv6 = text.replaceAll("-", ":");
  return ipaddr.IPv6.isValid(ipv6) ? ipv6 : undefined;
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
