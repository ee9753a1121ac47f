// The networks that nodes' pods get their addresses from: equal parts of the cluster's network.

export class ClusterCidrError extends Error {
  readonly code = "CLUSTER_CIDR";
}

export interface ClusterNetwork {
  readonly base: number;
  readonly size: number;
  readonly nodeMask: number;
}

/** `cidr` is IPv4, such as `10.244.0.0/16`; each node gets a network of `nodeMask` bits. */
export function parseClusterCidr(cidr: string, nodeMask: number): ClusterNetwork {
  const [address = "", maskText = ""] = cidr.split("/");
  const octets = address.split(".").map(Number);
  const mask = Number(maskText);
  const isAddress = octets.length === 4 && octets.every((octet) => Number.isInteger(octet) && octet >= 0 && octet <= 255);
  if (!isAddress || !Number.isInteger(mask) || mask < 1 || mask > nodeMask) {
    throw new ClusterCidrError(`the cluster's pod network ${cidr} cannot be divided into networks of /${nodeMask}`);
  }
  const value = octets.reduce((sum, octet) => sum * 256 + octet, 0);
  const span = 2 ** (32 - mask);
  return { base: Math.floor(value / span) * span, size: 2 ** (nodeMask - mask), nodeMask };
}

/** The `index`th node network. */
export function nodeCidr({ base, nodeMask }: ClusterNetwork, index: number): string {
  const value = base + index * 2 ** (32 - nodeMask);
  const octets = [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256);
  return `${octets.join(".")}/${nodeMask}`;
}

/** The first network that is not among `used`; undefined when all are. */
export function freeCidr(network: ClusterNetwork, used: ReadonlySet<string>): string | undefined {
  for (let index = 0; index < network.size; index++) {
    const cidr = nodeCidr(network, index);
    if (!used.has(cidr)) return cidr;
  }
  return undefined;
}
