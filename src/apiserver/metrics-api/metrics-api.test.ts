import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Node, Pod } from "../../api/types/core/v1.ts";
import { silentLogger, VirtualClock } from "../../base/index.ts";
import { nodeMetricsOf, podMetricsOf } from "./metrics-objects.ts";
import { parseResourceMetrics } from "./resource-metrics.ts";
import { containerKey, type NodeUsage, rateBetween, type UsageSample } from "./usage.ts";
import { FIRST_WINDOW_MS, FRESH_MS, STALE_MS, samplesNeeded, UsageCache } from "./usage-cache.ts";

const sample = (timestampMs: number, cpuSeconds: number, memoryBytes = 2 ** 20): UsageSample => ({ timestampMs, cpuSeconds, memoryBytes });
const usage = (node: UsageSample | undefined, containers: Record<string, UsageSample> = {}): NodeUsage => ({
  node,
  containers: new Map(Object.entries(containers)),
});
const key = (container: string) => containerKey("default", "web", container);

function podRunning(...names: string[]): Pod {
  const containerStatuses = names.map((name) => ({ name, state: { running: {} } }));
  return { metadata: { name: "web", namespace: "default", labels: { app: "web" } }, status: { containerStatuses } } as unknown as Pod;
}

describe("rateBetween", () => {
  it("divides what was used by the time between the samples", () => {
    assert.deepEqual(rateBetween(sample(0, 1), sample(10_000, 6, 5)), { endMs: 10_000, windowMs: 10_000, cpuCores: 0.5, memoryBytes: 5 });
  });

  it("knows no rate without an interval or when the counter began anew", () => {
    assert.equal(rateBetween(undefined, sample(1, 1)), undefined);
    assert.equal(rateBetween(sample(1, 1), sample(1, 1)), undefined);
    assert.equal(rateBetween(sample(1, 5), sample(10, 1)), undefined);
  });
});

describe("parseResourceMetrics", () => {
  it("reads nodes and containers, and leaves out what is not complete", () => {
    const text = [
      "# HELP node_cpu_usage_seconds_total [STABLE] Cumulative cpu time",
      "node_cpu_usage_seconds_total 12.5 1000",
      "node_memory_working_set_bytes 4096 1000",
      'container_cpu_usage_seconds_total{container="c",namespace="default",pod="web"} 1.5e0 900',
      'container_memory_working_set_bytes{container="c",namespace="default",pod="web"} 2048 950',
      'container_memory_working_set_bytes{container="half",namespace="default",pod="web"} 1',
      'pod_cpu_usage_seconds_total{namespace="default",pod="web"} 7 900',
      "scrape_error 0",
      "rubbish",
    ].join("\n");
    const { node, containers } = parseResourceMetrics(text, 5);
    assert.deepEqual(node, { timestampMs: 1000, cpuSeconds: 12.5, memoryBytes: 4096 });
    assert.deepEqual([...containers], [[key("c"), { timestampMs: 900, cpuSeconds: 1.5, memoryBytes: 2048 }]]);
  });
});

describe("metrics objects", () => {
  const pair = {
    earlier: usage(sample(0, 10), { [key("a")]: sample(0, 0), [key("b")]: sample(0, 0) }),
    later: usage(sample(2_000, 11, 3 * 2 ** 30), { [key("a")]: sample(2_000, 0.5), [key("b")]: sample(2_500, 0.001_000_5) }),
  };

  it("tell a node's usage in upstream's units", () => {
    const node = { metadata: { name: "n", labels: { zone: "z" } } } as Node;
    assert.deepEqual(nodeMetricsOf(node, pair, 3_000), {
      kind: "NodeMetrics",
      apiVersion: "metrics.k8s.io/v1beta1",
      metadata: { name: "n", labels: { zone: "z" }, creationTimestamp: "1970-01-01T00:00:03Z" },
      timestamp: "1970-01-01T00:00:02Z",
      window: "2s",
      usage: { cpu: "500m", memory: "3Gi" },
    });
  });

  it("tell the usage of each container that runs", () => {
    const metrics = podMetricsOf(podRunning("a", "b"), pair, 3_000);
    assert.deepEqual(metrics?.containers, [
      { name: "a", usage: { cpu: "250m", memory: "1Mi" } },
      { name: "b", usage: { cpu: "400200n", memory: "1Mi" } },
    ]);
    assert.equal(metrics?.window, "2.5s");
  });

  it("say nothing about a pod of which one container is not known", () => {
    assert.equal(podMetricsOf(podRunning("a", "unknown"), pair, 0), undefined);
    assert.equal(podMetricsOf(podRunning(), pair, 0), undefined);
  });
});

describe("the usage cache", () => {
  function cacheOver(clock: VirtualClock) {
    const asked: number[] = [];
    const read = async () => {
      asked.push(clock.now());
      return usage(sample(clock.now(), clock.now() / 1000));
    };
    return { asked, cache: new UsageCache({ source: { read }, clock, logger: silentLogger }) };
  }

  it("decides by the age of the last sample", () => {
    assert.equal(samplesNeeded(undefined, 0), "two");
    assert.equal(samplesNeeded(0, FRESH_MS), "none");
    assert.equal(samplesNeeded(0, FRESH_MS + 1), "one");
    assert.equal(samplesNeeded(0, STALE_MS + 1), "two");
  });

  it("takes two samples at first, none while they are fresh, then one", async () => {
    const clock = new VirtualClock(0);
    const { asked, cache } = cacheOver(clock);
    const first = Promise.all([cache.usageOf("n"), cache.usageOf("n")]);
    await clock.advance(FIRST_WINDOW_MS);
    const [a, b] = await first;
    assert.equal(a, b);
    await clock.advance(FRESH_MS);
    assert.equal(await cache.usageOf("n"), a);
    await clock.advance(1);
    const next = await cache.usageOf("n");
    assert.equal(next?.earlier, a?.later);
    assert.deepEqual(asked, [0, 1_000, 16_001]);
  });

  it("asks for nothing while nobody asks it", async () => {
    const clock = new VirtualClock(0);
    const { asked, cache } = cacheOver(clock);
    void cache.usageOf("n");
    await clock.advance(600_000);
    assert.equal(asked.length, 2);
  });

  it("answers nothing for a node that does not answer, and asks anew later", async () => {
    const clock = new VirtualClock(0);
    let isUp = false;
    const read = async () => {
      if (!isUp) throw new Error("no route");
      return usage(sample(clock.now(), 1));
    };
    const cache = new UsageCache({ source: { read }, clock, logger: silentLogger });
    assert.equal(await cache.usageOf("n"), undefined);
    isUp = true;
    const later = cache.usageOf("n");
    await clock.advance(FIRST_WINDOW_MS);
    assert.notEqual(await later, undefined);
  });
});
