import assert from "node:assert/strict";
import { test } from "node:test";
import type { PodSpec } from "../../api/types/core/v1.ts";
import { AgentWorld, container } from "../agent.fixture.ts";
import { planRemoval, type SeenImage } from "../images/image-garbage.ts";
import type { NodeMeter } from "./eviction-manager.ts";
import { hasStorageLimit, storageExcess } from "./local-storage.ts";
import { findPressures, NO_PRESSURE, type SignalObservation } from "./pressure.ts";
import { type PodUse, rankPods } from "./rank.ts";
import { type EvictionSignal, parseThresholds } from "./thresholds.ts";

const MI = 2 ** 20;

function useOf(memoryBytes: number, more: Partial<PodUse> = {}): PodUse {
  const containers = [{ name: "main", memoryBytes, diskBytes: 0 }];
  return { memoryBytes, diskBytes: 0, inodes: 0, processes: 0, containers, emptyDirBytes: new Map(), ...more };
}

/** A machine whose numbers the test sets. */
class FakeMeter implements NodeMeter {
  readonly observed = new Map<EvictionSignal, SignalObservation>();
  readonly uses = new Map<string, PodUse>();

  set(signal: EvictionSignal, available: number, capacity = 1000 * MI): void {
    this.observed.set(signal, { available, capacity });
  }

  async observe() {
    return new Map(this.observed);
  }

  async podUse(pods: Parameters<NodeMeter["podUse"]>[0]) {
    return new Map(pods.map(({ metadata: { uid = "", name = "" } }) => [uid, this.uses.get(name) ?? useOf(0)]));
  }
}

function worldWith(meter: FakeMeter, eviction = {}) {
  const world = new AgentWorld();
  world.start({ housekeeping: { meter, eviction, isImageKept: () => true } });
  return world;
}

const requesting = (memory: string): Partial<PodSpec> => ({
  containers: [{ ...container("main"), resources: { requests: { memory } } }],
});

test("short of memory, the pod that uses most above its request is evicted at once, and only that", async () => {
  const meter = new FakeMeter();
  meter.set("memory.available", 500 * MI);
  await using world = worldWith(meter);
  await world.createPod("modest", requesting("64Mi"));
  await world.createPod("greedy", requesting("64Mi"), { "sim.k8ts.dev/stop-delay-seconds": "1" });
  await world.clock.advance(1_000);
  meter.uses.set("modest", useOf(32 * MI));
  meter.uses.set("greedy", useOf(128 * MI));
  meter.set("memory.available", 50 * MI);
  await world.clock.advance(10_000);
  assert.equal(world.phase("greedy"), "Failed");
  const status = world.pod("greedy")?.status;
  assert.equal(status?.reason, "Evicted");
  assert.equal(
    status?.message,
    "The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi. " +
      "Container main was using 128Mi, request is 64Mi, has larger consumption of memory. ",
  );
  assert.equal(world.condition("greedy", "DisruptionTarget")?.reason, "TerminationByKubelet");
  meter.set("memory.available", 500 * MI);
  await world.clock.advance(60_000);
  assert.equal(world.phase("modest"), "Running");
  assert.ok(world.reasons("greedy").includes("Evicted"));
  assert.ok(world.reasons("node-1").includes("EvictionThresholdMet"));
});

test("a node under memory pressure takes no best-effort pods until five minutes after", async () => {
  const meter = new FakeMeter();
  meter.set("memory.available", 50 * MI);
  await using world = worldWith(meter);
  await world.clock.advance(1_000);
  await world.createPod("early", {});
  await world.createPod("sized", requesting("1Mi"));
  await world.clock.advance(500);
  assert.equal(world.phase("early"), "Failed");
  assert.equal(world.pod("early")?.status?.message, "Pod was rejected: The node had condition: [MemoryPressure]. ");
  assert.notEqual(world.phase("sized"), "Failed");
  meter.set("memory.available", 500 * MI);
  await world.clock.advance(290_000);
  await world.createPod("still-early", {});
  await world.clock.advance(15_000);
  assert.equal(world.phase("still-early"), "Failed");
  await world.createPod("late", {});
  await world.clock.advance(1_000);
  assert.equal(world.phase("late"), "Running");
});

test("a pod whose emptyDir outgrows its limit is evicted", async () => {
  const meter = new FakeMeter();
  await using world = worldWith(meter);
  await world.createPod("hoarder", { volumes: [{ name: "scratch", emptyDir: { sizeLimit: "1Mi" } }] });
  await world.clock.advance(1_000);
  meter.uses.set("hoarder", useOf(0, { emptyDirBytes: new Map([["scratch", 2 * MI]]) }));
  await world.clock.advance(11_000);
  assert.equal(world.phase("hoarder"), "Failed");
  assert.equal(world.pod("hoarder")?.status?.message, 'Usage of EmptyDir volume "scratch" exceeds the limit "1Mi". ');
});

test("a soft threshold must be passed for its grace, and lets pods end in theirs", () => {
  const config = {
    evictionHard: {},
    evictionSoft: { "nodefs.available": "10%" },
    evictionSoftGracePeriodMs: { "nodefs.available": 60_000 },
  };
  const thresholds = parseThresholds(config);
  const observations = new Map([["nodefs.available", { available: 50, capacity: 1000 }] as const]);
  const at = (nowMs: number, state = NO_PRESSURE) => findPressures(thresholds, observations, { state, nowMs, transitionMs: 300_000 });
  const first = at(0);
  assert.deepEqual([...first.pressures], ["DiskPressure"]);
  assert.equal(first.passed.length, 0);
  assert.equal(at(59_000, first.state).passed.length, 0);
  assert.equal(at(60_000, first.state).passed.length, 1);
  assert.throws(() => parseThresholds({ evictionSoft: { "nodefs.available": "10%" } }), /must have a grace period/);
});

test("a passed threshold stays passed until its minimum reclaim is free as well", () => {
  const thresholds = parseThresholds({ evictionHard: { "nodefs.available": "100" }, evictionMinimumReclaim: { "nodefs.available": "50" } });
  const look = (available: number, state = NO_PRESSURE) => {
    const observations = new Map([["nodefs.available", { available, capacity: 1000 }] as const]);
    return findPressures(thresholds, observations, { state, nowMs: 0, transitionMs: 0 });
  };
  const first = look(90);
  assert.equal(first.passed.length, 1);
  const second = look(120, first.state);
  assert.equal(second.passed.length, 1);
  assert.equal(look(150, second.state).passed.length, 0);
  assert.equal(look(120).passed.length, 0);
});

test("pods go by excess over requests, then by priority, and critical ones never", () => {
  const pod = (name: string, memory: number, priority: number) => ({
    pod: { metadata: { name }, spec: { priority, containers: [{ name: "main", resources: { requests: { memory: "64Mi" } } }] } },
    use: useOf(memory * MI),
  });
  const pods = [pod("within", 60, 0), pod("important", 200, 1000), pod("critical", 500, 2_000_000_000), pod("over", 70, 0)];
  assert.deepEqual(
    rankPods(pods, "memory.available").map(({ pod: { metadata } }) => metadata.name),
    ["over", "important", "within"],
  );
});

test("local storage is held to the limits of containers and of the pod", () => {
  const limited = (name: string) => ({ name, resources: { limits: { "ephemeral-storage": "10Mi" } } });
  const pod = { metadata: {}, spec: { containers: [limited("a"), limited("b")] } };
  assert.ok(hasStorageLimit(pod));
  const containers = [{ name: "a", memoryBytes: 0, diskBytes: 11 * MI }];
  assert.equal(
    storageExcess(pod, useOf(0, { diskBytes: 11 * MI, containers }))?.message,
    'Container a exceeded its local ephemeral storage limit "10Mi". ',
  );
  assert.equal(
    storageExcess(pod, useOf(0, { diskBytes: 21 * MI }))?.message,
    "Pod ephemeral local storage usage exceeds the total limit of containers 20Mi. ",
  );
  assert.equal(storageExcess(pod, useOf(0, { diskBytes: 9 * MI })), undefined);
});

test("images that were unused for longest go first, used, kept and young ones stay", () => {
  const image = (id: string, more: Partial<SeenImage> = {}): SeenImage => ({
    ...{ id, sizeBytes: 10, firstSeenMs: 0, lastUsedMs: 0, isUsed: false, isKept: false },
    ...more,
  });
  const images = [
    image("recent", { lastUsedMs: 500 }),
    image("old", { lastUsedMs: 100 }),
    image("used", { isUsed: true }),
    image("kept", { isKept: true }),
    image("young", { firstSeenMs: 950_000 }),
  ];
  const ids = (bytes: number) => planRemoval(images, { bytes, nowMs: 1_000_000 }).map(({ id }) => id);
  assert.deepEqual(ids(5), ["old"]);
  assert.deepEqual(ids(100), ["old", "recent"]);
  assert.deepEqual(ids(0), []);
});
