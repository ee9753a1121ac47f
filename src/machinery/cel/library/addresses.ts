// IP addresses and networks in CEL, the way Go's netip prints and compares them.
import ipaddr from "ipaddr.js";
import { isValidCidr, isValidIp } from "../../names.ts";
import { CelEvaluationError } from "../errors.ts";
import { type Overload, overload } from "../functions.ts";
import { CelHostObject } from "../values.ts";

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** An address. */
class CelIp extends CelHostObject {
  readonly celType = "net.IP";
  readonly address: Address;

  constructor(address: Address) {
    super();
    this.address = address;
  }

  override equals(other: CelHostObject): boolean {
    return other instanceof CelIp && this.toString() === other.toString();
  }

  override toString(): string {
    return this.address instanceof ipaddr.IPv6 ? this.address.toRFC5952String() : this.address.toString();
  }
}

/** A network: an address and the number of bits that count. */
class CelCidr extends CelHostObject {
  readonly celType = "net.CIDR";
  readonly address: Address;
  readonly bits: number;

  constructor(address: Address, bits: number) {
    super();
    this.address = address;
    this.bits = bits;
  }

  override equals(other: CelHostObject): boolean {
    return other instanceof CelCidr && this.toString() === other.toString();
  }

  contains(other: Address): boolean {
    return this.address.kind() === other.kind() && (other as ipaddr.IPv4).match(this.address as ipaddr.IPv4, this.bits);
  }

  masked(): CelCidr {
    const bytes = this.address
      .toByteArray()
      .map((byte, index) => byte & (0xff << Math.max(0, 8 - Math.max(0, this.bits - index * 8))) & 0xff);
    return new CelCidr(ipaddr.fromByteArray(bytes), this.bits);
  }

  override toString(): string {
    return `${new CelIp(this.address)}/${this.bits}`;
  }
}

/** Like Go, refuses zones, leading zeros and IPv4 within IPv6. */
const isAddress = (text: string) => isValidIp(text).length === 0 && !/:.*\./.test(text);
const isNetwork = (text: string) => isValidCidr(text).length === 0 && !/:.*\./.test(text);

function parseIp(text: string): CelIp {
  if (!isAddress(text)) throw new CelEvaluationError(`IP Address ${JSON.stringify(text)} parse error during conversion from string`);
  return new CelIp(ipaddr.parse(text));
}

function parseCidr(text: string): CelCidr {
  if (!isNetwork(text))
    throw new CelEvaluationError(`network address parse error during conversion from string: netip.ParsePrefix(${JSON.stringify(text)})`);
  const [address, bits] = ipaddr.parseCIDR(text);
  return new CelCidr(address, bits);
}

const ranges =
  (...names: readonly string[]) =>
  (ip: CelIp) =>
    names.includes(ip.address.range());
const isGlobalUnicast = (ip: CelIp) => !ranges("unspecified", "loopback", "linkLocal", "multicast", "broadcast")(ip);

/** The functions of addresses and networks. */
export const addressFunctions: readonly Overload[] = [
  overload("ip(string) -> net.IP", parseIp),
  overload("isIP(string) -> bool", isAddress),
  overload("ip.isCanonical(string) -> bool", (text: string) => parseIp(text).toString() === text),
  overload("net.IP.family() -> int", ({ address }: CelIp) => (address.kind() === "ipv4" ? 4n : 6n)),
  overload("net.IP.isUnspecified() -> bool", ranges("unspecified")),
  overload("net.IP.isLoopback() -> bool", ranges("loopback")),
  overload("net.IP.isLinkLocalMulticast() -> bool", (ip: CelIp) => /^(224\.0\.0\.|ff.2:)/.test(ip.toString())),
  overload("net.IP.isLinkLocalUnicast() -> bool", ranges("linkLocal")),
  overload("net.IP.isGlobalUnicast() -> bool", isGlobalUnicast),
  overload("string(net.IP) -> string", String),
  overload("cidr(string) -> net.CIDR", parseCidr),
  overload("isCIDR(string) -> bool", isNetwork),
  overload("net.CIDR.containsIP(net.IP) -> bool", (cidr: CelCidr, ip: CelIp) => cidr.contains(ip.address)),
  overload("net.CIDR.containsIP(string) -> bool", (cidr: CelCidr, text: string) => cidr.contains(parseIp(text).address)),
  overload(
    "net.CIDR.containsCIDR(net.CIDR) -> bool",
    (cidr: CelCidr, other: CelCidr) => other.bits >= cidr.bits && cidr.contains(other.address),
  ),
  overload(
    "net.CIDR.containsCIDR(string) -> bool",
    (cidr: CelCidr, text: string) => parseCidr(text).bits >= cidr.bits && cidr.contains(parseCidr(text).address),
  ),
  overload("net.CIDR.ip() -> net.IP", ({ address }: CelCidr) => new CelIp(address)),
  overload("net.CIDR.masked() -> net.CIDR", (cidr: CelCidr) => cidr.masked()),
  overload("net.CIDR.prefixLength() -> int", ({ bits }: CelCidr) => BigInt(bits)),
  overload("string(net.CIDR) -> string", String),
];
