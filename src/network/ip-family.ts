// What differs between IPv4 and IPv6 in the rules that we write.

export interface IpFamily {
  readonly name: "IPv4" | "IPv6";
  /** The family of nftables tables, and the keyword of its header fields. */
  readonly table: "ip" | "ip6";
  readonly addressType: "ipv4_addr" | "ipv6_addr";
  readonly loopback: string;
  /** The reject that tells a client which is not TCP. */
  readonly portUnreachable: string;
}

export const IPV4: IpFamily = {
  name: "IPv4",
  table: "ip",
  addressType: "ipv4_addr",
  loopback: "127.0.0.0/8",
  portUnreachable: "icmp type port-unreachable",
};

export const IPV6: IpFamily = {
  name: "IPv6",
  table: "ip6",
  addressType: "ipv6_addr",
  loopback: "::1",
  portUnreachable: "icmpv6 type port-unreachable",
};

/** Of an address or a network. */
export function familyOf(address: string): IpFamily {
  return address.includes(":") ? IPV6 : IPV4;
}
