// What a cluster costs that has nothing to do: memory and CPU of its processes, found by the pid files of the run directory.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Layout } from "../../src/cmd/config/layout.ts";
import { readPidFile } from "../../src/cmd/system/processes.ts";
import { VoidError } from "../api.ts";
import { digits, printTable } from "../print.ts";
import { type Usage, usageOf } from "../usage.ts";

interface Sample {
  readonly name: string;
  readonly pid: number;
  readonly usage: Usage;
}

export async function idleArea({ layout, seconds }: { readonly layout: Layout; readonly seconds: number }): Promise<void> {
  const before = existsSync(layout.runDirectory) ? sample(layout.runDirectory) : [];
  if (before.length === 0) throw new VoidError(`no process of a cluster is in ${layout.runDirectory}`);
  const startedAt = performance.now();
  await sleep(seconds * 1000);
  const elapsed = (performance.now() - startedAt) / 1000;
  let rssBytes = 0;
  let percent = 0;
  const lines = before.map(({ name, pid, usage }) => {
    const after = usageOf(pid);
    if (after === undefined) throw new VoidError(`${name} ended while it was watched`);
    const share = ((after.cpuSeconds - usage.cpuSeconds) / elapsed) * 100;
    rssBytes += after.rssBytes;
    percent += share;
    return [name, digits(after.rssBytes / 2 ** 20), digits(share)];
  });
  const sum = ["all", digits(rssBytes / 2 ** 20), digits(percent)];
  printTable(`idle, ${digits(elapsed)} s`, [["", "RSS MB", "CPU %"], ...lines, sum]);
}

/** The live processes of all pid files, at most one folder down. */
function sample(directory: string): Sample[] {
  const files = readdirSync(directory, { withFileTypes: true, recursive: false }).flatMap((entry) => {
    if (entry.isFile()) return [entry.name];
    return entry.isDirectory() ? readdirSync(join(directory, entry.name)).map((name) => join(entry.name, name)) : [];
  });
  return files
    .filter((file) => file.endsWith(".pid"))
    .flatMap((file) => {
      const pid = readPidFile(join(directory, file))?.pid;
      const usage = pid === undefined ? undefined : usageOf(pid);
      return pid === undefined || usage === undefined ? [] : [{ name: file.replace(/\.pid$/, ""), pid, usage }];
    });
}
