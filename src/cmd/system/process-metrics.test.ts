import assert from "node:assert/strict";
import { test } from "node:test";
import { Registry } from "prom-client";
import { collectProcessMetrics } from "./process-metrics.ts";

test("a process tells its CPU time, memory, start and files as they are when it is asked", async () => {
  const registry = new Registry();
  collectProcessMetrics(registry);
  const values = async () => {
    const lines = (await registry.metrics()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    return new Map(lines.map((line) => [line.split(" ")[0] ?? "", Number(line.split(" ")[1])]));
  };
  const first = await values();
  for (const [name, value] of first) assert.ok(value > 0, `${name} ${value}`);
  const cpu = "process_cpu_seconds_total";
  // It counts up by what was used in between, and not by all of it once more.
  const second = await values();
  assert.ok((second.get(cpu) ?? 0) >= (first.get(cpu) ?? 0) && (second.get(cpu) ?? 0) < 1.5 * (first.get(cpu) ?? 0));
  assert.ok((first.get("process_max_fds") ?? 0) >= (first.get("process_open_fds") ?? 0));
  assert.ok((first.get("process_virtual_memory_bytes") ?? 0) > (first.get("process_resident_memory_bytes") ?? 0));
});
