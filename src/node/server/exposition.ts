// Prometheus' text format, for numbers that are made when they are asked for.

/** Labels, value, and the time it was taken at when that is not now. */
export type Sample = readonly [labels: Readonly<Record<string, string>>, value: number, timestampMs?: number];

export class Exposition {
  readonly #lines: string[] = [];

  family(name: string, type: "counter" | "gauge", samples: readonly Sample[]): this {
    this.#lines.push(`# TYPE ${name} ${type}`);
    for (const [labels, value, timestampMs] of samples) {
      const time = timestampMs === undefined ? "" : ` ${timestampMs}`;
      this.#lines.push(`${name}${format(labels)} ${value}${time}`);
    }
    return this;
  }

  toString(): string {
    return `${this.#lines.join("\n")}\n`;
  }
}

function format(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}
