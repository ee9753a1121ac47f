// What a process has used so far, from /proc.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

const TICKS_PER_SECOND = Number(execFileSync("getconf", ["CLK_TCK"]).toString());
const PAGE_BYTES = Number(execFileSync("getconf", ["PAGESIZE"]).toString());

export interface Usage {
  /** User and system time of all threads. */
  readonly cpuSeconds: number;
  readonly rssBytes: number;
}

/** Undefined when there is no such process. */
export function usageOf(pid: number): Usage | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const ticks = Number(fields[11]) + Number(fields[12]);
    return { cpuSeconds: ticks / TICKS_PER_SECOND, rssBytes: Number(fields[21]) * PAGE_BYTES };
  } catch {
    return undefined;
  }
}

/** Runs `work`; answers the most memory that the process had meanwhile. */
export async function peakRssDuring(pid: number, work: () => Promise<void>): Promise<number> {
  // 5 resets the peak (proc(5)).
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
  await work();
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kilobytes) * 1024;
}
