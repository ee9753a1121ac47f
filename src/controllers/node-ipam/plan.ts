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

/** Which of the node networks are given away. */
export class CidrSet {
  readonly #network: ClusterNetwork;
  /** By number of the network: how many nodes have it. Two do when somebody else gave it to one of them. */
  readonly #holders = new Map<number, number>();
  /** No network below is free. */
  #lowest = 0;

  constructor(network: ClusterNetwork) {
    this.#network = network;
  }

  /** Gives the first free network away; undefined when there is none. */
  take(): string | undefined {
    while (this.#holders.has(this.#lowest)) this.#lowest++;
    if (this.#lowest >= this.#network.size) return undefined;
    this.#holders.set(this.#lowest, 1);
    return nodeCidr(this.#network, this.#lowest);
  }

  /** A node has the network. */
  occupy(cidr: string): void {
    const index = this.#indexOf(cidr);
    if (index !== undefined) this.#holders.set(index, (this.#holders.get(index) ?? 0) + 1);
  }

  /** A node has it no more. */
  release(cidr: string): void {
    const index = this.#indexOf(cidr);
    const holders = index === undefined ? undefined : this.#holders.get(index);
    if (index === undefined || holders === undefined) return;
    if (holders > 1) this.#holders.set(index, holders - 1);
    else this.#holders.delete(index);
    this.#lowest = Math.min(this.#lowest, index);
  }

  /** Undefined for what is no node network of the cluster's. */
  #indexOf(cidr: string): number | undefined {
    const { base, size, nodeMask } = this.#network;
    const octets = (cidr.split("/")[0] ?? "").split(".").map(Number);
    const value = octets.reduce((sum, octet) => sum * 256 + octet, 0);
    const index = Math.floor((value - base) / 2 ** (32 - nodeMask));
    return index >= 0 && index < size && nodeCidr(this.#network, index) === cidr ? index : undefined;
  }
}
