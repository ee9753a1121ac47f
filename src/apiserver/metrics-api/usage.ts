// What nodes and containers have used, as their kubelet tells it, and the rate between two such reports.

/** CPU time since the start, memory now. */
export interface UsageSample {
  readonly timestampMs: number;
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
}

/** One look at a node: itself, and its containers by `containerKey`. */
export interface NodeUsage {
  readonly node: UsageSample | undefined;
  readonly containers: ReadonlyMap<string, UsageSample>;
}

/** Asks a node's kubelet. */
export interface UsageSource {
  /** Rejects when the node does not answer. */
  read(nodeName: string): Promise<NodeUsage>;
}

/** What was used between two samples. */
export interface UsageRate {
  readonly endMs: number;
  readonly windowMs: number;
  readonly cpuCores: number;
  readonly memoryBytes: number;
}

export function containerKey(namespace: string, pod: string, container: string): string {
  return `${namespace}/${pod}/${container}`;
}

/** Undefined when there is no interval, or when the counter began anew within it. */
export function rateBetween(earlier: UsageSample | undefined, later: UsageSample | undefined): UsageRate | undefined {
  if (earlier === undefined || later === undefined) return undefined;
  const windowMs = later.timestampMs - earlier.timestampMs;
  const usedSeconds = later.cpuSeconds - earlier.cpuSeconds;
  if (windowMs <= 0 || usedSeconds < 0) return undefined;
  return { endMs: later.timestampMs, windowMs, cpuCores: (usedSeconds * 1_000) / windowMs, memoryBytes: later.memoryBytes };
}
