// Addresses of a pod network, handed out one after the other and reused only after all others.

/** An IPv4 network in CIDR form; the first address is the gateway's. */
export class AddressPool {
  readonly #base: number;
  readonly #size: number;
  readonly #taken = new Set<number>();
  #next = 2;

  constructor(cidr: string) {
    const [address = "", bits = "32"] = cidr.split("/");
    this.#size = 2 ** (32 - Number(bits));
    const value = numberOf(address);
    this.#base = value - (value % this.#size);
  }

  /** Undefined when all are taken. */
  take(): string | undefined {
    for (let tried = 0; tried < this.#size; tried++) {
      const offset = this.#next;
      // The last address is the network's broadcast.
      this.#next = offset + 1 >= this.#size - 1 ? 2 : offset + 1;
      if (offset >= this.#size - 1 || this.#taken.has(offset)) continue;
      this.#taken.add(offset);
      return dotted(this.#base + offset);
    }
    return undefined;
  }

  /** Takes this very address, whoever has it. */
  claim(address: string): string {
    this.#taken.add(numberOf(address) - this.#base);
    return address;
  }

  release(address: string): void {
    this.#taken.delete(numberOf(address) - this.#base);
  }
}

function numberOf(address: string): number {
  return address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

function dotted(value: number): string {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255].join(".");
}
