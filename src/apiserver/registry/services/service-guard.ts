// Gives services their cluster addresses and node ports, and sees to it that no two get the same.
import type { Random } from "../../../base/index.ts";
import { type DeepReadonly, type FieldError, field, type KubeObject } from "../../../machinery/index.ts";
import type { ResourceCache } from "../../watch-cache/resource-cache.ts";
import { type Draft, fieldOf } from "../draft.ts";
import type { Reservation, WriteGuard } from "../write-guard.ts";
import { Allocator, staticBand } from "./allocator.ts";
import type { IpRange } from "./ip-range.ts";
import { completeFamilies, dropSecondFamily } from "./service-families.ts";
import {
  dropUnused,
  hasClusterIP,
  isHeadless,
  needsHealthCheckPort,
  needsNodePorts,
  type ServiceSpec,
  specOf,
  takeOverAllocations,
} from "./service-fields.ts";
import type { ServiceRanges } from "./service-ranges.ts";

export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** What one write takes, and what is wrong with what it asks for. */
interface Taking {
  readonly errors: FieldError[];
  readonly ips: string[];
  readonly ports: number[];
}

export class ServiceGuard implements WriteGuard {
  readonly #ips: Allocator<string>;
  readonly #ports: Allocator<number>;
  readonly #ranges: ServiceRanges;
  readonly #portRange: PortRange;

  constructor(options: { readonly random: Random; readonly ranges: ServiceRanges; readonly portRange: PortRange }) {
    this.#ips = new Allocator(options.random);
    this.#ports = new Allocator(options.random);
    this.#ranges = options.ranges;
    this.#portRange = options.portRange;
  }

  /** Learns what stored services hold, now and later. */
  follow(cache: ResourceCache, prefix: string): void {
    for (const { object } of cache.entries(prefix)) this.#count(object, "hold");
    cache.listen(({ current, previous }) => {
      if (previous !== undefined) this.#count(previous.object, "drop");
      if (current !== undefined) this.#count(current.object, "hold");
    });
  }

  reserve(draft: Draft, old: Draft | undefined): Reservation {
    const spec = specOf(draft);
    const held = old === undefined ? {} : specOf(old);
    if (old !== undefined) {
      takeOverAllocations(spec, held);
      dropUnused(spec, held);
      dropSecondFamily(spec, held);
    }
    const taking: Taking = { errors: [], ips: [], ports: [] };
    if (hasClusterIP(spec)) this.#reserveAddress(spec, held, taking);
    this.#reservePorts(spec, held, taking);
    const release = () => {
      for (const ip of taking.ips) this.#ips.release(ip);
      for (const port of taking.ports) this.#ports.release(port);
    };
    return { errors: taking.errors, release };
  }

  #count(object: DeepReadonly<KubeObject>, change: "hold" | "drop"): void {
    const spec = (fieldOf(object, "spec") ?? {}) as ServiceSpec;
    for (const ip of addresses(spec)) this.#ips[change](ip);
    for (const port of portsOf(spec)) this.#ports[change](port);
  }

  #reserveAddress(spec: ServiceSpec, held: ServiceSpec, taking: Taking): void {
    if (spec.clusterIP === undefined && spec.clusterIPs?.[0] !== undefined) spec.clusterIP = spec.clusterIPs[0];
    const errors = completeFamilies(spec, this.#ranges.families);
    taking.errors.push(...errors);
    if (isHeadless(spec)) spec.clusterIPs = ["None"];
    if (errors.length > 0 || isHeadless(spec)) return;
    const asked = addresses(spec);
    const given = (spec.ipFamilies ?? []).map((family, index) => {
      const ip = asked[index];
      if (ip !== undefined && addresses(held).includes(ip)) return ip;
      const ranges = this.#ranges.of(family);
      return ip === undefined ? this.#reserveAnyAddress(ranges, taking) : this.#reserveAskedAddress(ip, ranges, taking);
    });
    spec.clusterIPs = given.filter((ip) => ip !== undefined);
    if (spec.clusterIPs[0] !== undefined) spec.clusterIP = spec.clusterIPs[0];
  }

  #reserveAnyAddress(ranges: readonly IpRange[], { errors, ips }: Taking): string | undefined {
    for (const range of ranges) {
      const size = range.capacity;
      const first = staticBand(size, { min: 16, max: 256, divisor: 16 });
      const ip = this.#ips.reserveAny(size, first, (index) => range.at(index));
      if (ip === undefined) continue;
      ips.push(ip);
      return ip;
    }
    errors.push({ type: "InternalError", path: "spec.clusterIPs", detail: "failed to allocate a serviceIP: range is full" });
    return undefined;
  }

  #reserveAskedAddress(ip: string, ranges: readonly IpRange[], { errors, ips }: Taking): string {
    if (!ranges.some((range) => range.contains(ip))) {
      const valid = ranges.map(({ cidr }) => cidr).join(",");
      const why = `the provided IP (${ip}) is not in the valid range. The range of valid IPs is ${valid}`;
      errors.push(field.invalid("spec.clusterIPs", [ip], `failed to allocate IP ${ip}: ${why}`));
    } else if (this.#ips.reserve(ip)) {
      ips.push(ip);
    } else {
      errors.push(field.invalid("spec.clusterIPs", [ip], `failed to allocate IP ${ip}: provided IP is already allocated`));
    }
    return ip;
  }

  #reservePorts(spec: ServiceSpec, held: ServiceSpec, taking: Taking): void {
    const own = new Set(portsOf(held));
    for (const [index, port] of (spec.ports ?? []).entries()) {
      const nodePort = this.#reservePort(port.nodePort ?? 0, `spec.ports[${index}].nodePort`, {
        own,
        taking,
        allocates: needsNodePorts(spec),
      });
      if (nodePort !== 0) port.nodePort = nodePort;
    }
    if (!needsHealthCheckPort(spec)) return;
    const asked = spec.healthCheckNodePort ?? 0;
    const healthCheckPort = this.#reservePort(asked, "spec.healthCheckNodePort", { own, taking, allocates: true });
    if (healthCheckPort !== 0) spec.healthCheckNodePort = healthCheckPort;
  }

  #reservePort(
    asked: number,
    path: string,
    { own, taking, allocates }: { readonly own: ReadonlySet<number>; readonly taking: Taking; readonly allocates: boolean },
  ): number {
    const { first, last } = this.#portRange;
    // The same number may serve several protocols of one service.
    if (own.has(asked) || (asked !== 0 && taking.ports.includes(asked))) return asked;
    if (asked !== 0) {
      const isInRange = asked >= first && asked <= last;
      const range = `provided port is not in the valid range. The range of valid ports is ${first}-${last}`;
      if (!isInRange) taking.errors.push(field.invalid(path, asked, range));
      else if (this.#ports.reserve(asked)) taking.ports.push(asked);
      else taking.errors.push(field.invalid(path, asked, "provided port is already allocated"));
      return asked;
    }
    if (!allocates) return 0;
    const size = last - first + 1;
    const port = this.#ports.reserveAny(size, staticBand(size, { min: 16, max: 128, divisor: 32 }), (index) => first + index);
    if (port === undefined) taking.errors.push({ type: "InternalError", path, detail: "failed to allocate a nodePort: range is full" });
    else taking.ports.push(port);
    return port ?? 0;
  }
}

function addresses({ clusterIP = "", clusterIPs = [] }: ServiceSpec): readonly string[] {
  const all = clusterIPs.length > 0 ? clusterIPs : [clusterIP];
  return all.filter((ip) => ip !== "" && ip !== "None");
}

function portsOf({ ports = [], healthCheckNodePort = 0 }: ServiceSpec): number[] {
  const nodePorts = [...ports.map((port) => port.nodePort ?? 0), healthCheckNodePort].filter((port) => port !== 0);
  return [...new Set(nodePorts)];
}
