// A range of service addresses: which addresses are in it, and in which order they are tried.
import { isIP, isIPv4 } from "node:net";

export class IpRange {
  readonly cidr: string;
  readonly #network: bigint;
  readonly #bits: number;
  readonly #size: bigint;
  readonly isV6: boolean;

  /** Throws TypeError when `cidr` is not one. */
  constructor(cidr: string) {
    const [address = "", prefix = ""] = cidr.split("/");
    this.isV6 = !isIPv4(address);
    this.#bits = this.isV6 ? 128 : 32;
    const hostBits = this.#bits - Number(prefix);
    if (prefix === "" || !(hostBits >= 1 && hostBits <= this.#bits))
      throw new TypeError(`${cidr} is not a range of addresses such as 10.96.0.0/12`);
    this.cidr = cidr;
    this.#size = 1n << BigInt(hostBits);
    this.#network = (parseAddress(address) >> BigInt(hostBits)) << BigInt(hostBits);
  }

  get family(): "IPv4" | "IPv6" {
    return this.isV6 ? "IPv6" : "IPv4";
  }

  /** Addresses that can be given out: all but the network's and the broadcast address. */
  get capacity(): number {
    const usable = this.#size - 2n;
    return usable > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(usable);
  }

  /** The usable address at `offset`, from 0. */
  at(offset: number): string {
    return formatAddress(this.#network + 1n + BigInt(offset), this.isV6);
  }

  /** False for what is no address. */
  contains(address: string): boolean {
    if (isIP(address) !== (this.isV6 ? 6 : 4)) return false;
    const offset = parseAddress(address) - this.#network;
    return offset > 0n && offset < this.#size - 1n;
  }
}

function parseAddress(address: string): bigint {
  if (!address.includes(":")) return address.split(".").reduce((value, part) => (value << 8n) | BigInt(part), 0n);
  const [head = "", tail] = address.split("::");
  const front = head === "" ? [] : head.split(":");
  const back = tail === undefined || tail === "" ? [] : tail.split(":");
  const middle = tail === undefined ? [] : new Array<string>(8 - front.length - back.length).fill("0");
  return [...front, ...middle, ...back].reduce((value, part) => (value << 16n) | BigInt(`0x${part}`), 0n);
}

function formatAddress(value: bigint, isV6: boolean): string {
  if (!isV6) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join(".");
  const parts = Array.from({ length: 8 }, (_, index) => ((value >> BigInt(112 - 16 * index)) & 0xffffn).toString(16));
  // The URL parser writes addresses in their canonical, shortened form.
  return new URL(`http://[${parts.join(":")}]`).hostname.slice(1, -1);
}
