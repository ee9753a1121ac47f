// The tables that are printed.
import { type Row, type Summary, summarize } from "./measure.ts";

const NONE = "–";
const MEBIBYTE = 2 ** 20;

/** Prints the columns with a line above them; all but the first are set right. */
export function printTable(title: string, lines: readonly (readonly string[])[]): void {
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => (line[column] ?? "").length)));
  console.log(`\n${title}`);
  for (const line of lines) {
    const cells = line.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)));
    console.log(`  ${cells.join("  ")}`);
  }
}

export function printRows(title: string, rows: readonly Row[]): void {
  const head = ["", "ops/s", "spread", "seconds", "p50 ms", "p90 ms", "p99 ms", "CPU s/1000", "RSS MB"];
  printTable(title, [head, ...rows.map((row) => [row.name, ...cells(summarize(row))])]);
}

function cells(summary: Summary): string[] {
  const { rssBytes, spread } = summary;
  return [
    digits(summary.perSecond),
    spread[0] === spread[1] ? NONE : `${digits(spread[0])}–${digits(spread[1])}`,
    digits(summary.seconds),
    digits(summary.p50Ms),
    digits(summary.p90Ms),
    digits(summary.p99Ms),
    digits(summary.cpuSecondsPerThousand),
    rssBytes === undefined ? NONE : rssBytes.map((bytes) => Math.round(bytes / MEBIBYTE)).join(" → "),
  ];
}

/** About three digits. */
export function digits(value: number | undefined): string {
  if (value === undefined) return NONE;
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
