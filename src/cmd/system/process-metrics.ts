// What this process takes of the machine, in the metrics that every component of Kubernetes has, measured when they are read. The
// default set of prom-client measures the event loop all the time, which wakes an idle process a hundred times a second.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { Counter, Gauge, type Registry } from "prom-client";

export function collectProcessMetrics(registry: Registry): void {
  const registers = [registry];
  new Counter({
    name: "process_cpu_seconds_total",
    help: "User and system CPU time of the process",
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
  const gauge = (name: string, help: string, value: () => number) => {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
  };
  gauge("process_start_time_seconds", "When the process began, in seconds since 1970", () => performance.timeOrigin / 1000);
  gauge("process_resident_memory_bytes", "Memory of the process", () => process.memoryUsage.rss());
  gauge("nodejs_heap_size_total_bytes", "Heap that V8 has taken", () => process.memoryUsage().heapTotal);
  gauge("nodejs_heap_size_used_bytes", "Heap that objects take", () => process.memoryUsage().heapUsed);
  gauge("nodejs_external_memory_bytes", "Memory of buffers outside of the heap", () => process.memoryUsage().external);
  if (!existsSync("/proc/self/fd")) return;
  gauge("process_virtual_memory_bytes", "Address space of the process", virtualBytes);
  gauge("process_open_fds", "Files that the process has open", () => readdirSync("/proc/self/fd").length);
  gauge("process_max_fds", "Files that it may have open", maxFiles);
}

function virtualBytes(): number {
  return 1024 * Number(/^VmSize:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? 0);
}

/** The soft limit. */
function maxFiles(): number {
  return Number(/^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1] ?? 0);
}
