import assert from "node:assert/strict";
import { test } from "node:test";
import { resources } from "../api/index.ts";
import type { PodSpec } from "../api/types/core/v1.ts";
import { AgentWorld, container } from "./agent.fixture.ts";
import { noCgroups } from "./cgroups/cgroup-manager.ts";
import type { PodObject } from "./pod/pod-object.ts";

type ContainerSpec = PodSpec["containers"][number];

const sized = (cpu: string, more: Partial<ContainerSpec> = {}): Partial<PodSpec> => ({
  containers: [{ ...container("main"), resources: { requests: { cpu } }, ...more }],
});

async function resize(world: AgentWorld, name: string, cpu: string): Promise<void> {
  const patch = { spec: { containers: [{ name: "main", resources: { requests: { cpu } } }] } };
  await world.client.patch(resources.pods, name, patch, { namespace: "default", type: "application/strategic-merge-patch+json" });
  await world.clock.advance(100);
}

const main = (world: AgentWorld, name: string) => world.pod(name)?.status?.containerStatuses?.[0];

test("a running container takes new resources without being started again", async () => {
  await using world = new AgentWorld();
  world.start();
  await world.createPod("web", sized("1"));
  await world.clock.advance(1_000);
  await resize(world, "web", "1500m");
  assert.deepEqual(main(world, "web")?.resources?.requests, { cpu: "1500m" });
  assert.deepEqual(main(world, "web")?.allocatedResources, { cpu: "1500m" });
  assert.equal(main(world, "web")?.restartCount, 0);
  assert.equal(world.condition("web", "PodResizeInProgress"), undefined);
});

test("a container whose policy asks for it is started again with its new resources", async () => {
  await using world = new AgentWorld();
  world.start();
  await world.createPod("web", sized("1", { resizePolicy: [{ resourceName: "cpu", restartPolicy: "RestartContainer" }] }));
  await world.clock.advance(1_000);
  await resize(world, "web", "2");
  await world.clock.advance(5_000);
  assert.equal(main(world, "web")?.restartCount, 1);
  assert.deepEqual(main(world, "web")?.resources?.requests, { cpu: "2" });
});

test("a resize that does not fit waits until another pod is gone", async () => {
  await using world = new AgentWorld();
  world.start();
  await world.createPod("web", sized("1"));
  await world.createPod("other", sized("2"));
  await world.clock.advance(1_000);
  await resize(world, "web", "3");
  const pending = world.condition("web", "PodResizePending");
  assert.equal(pending?.reason, "Deferred");
  assert.equal(pending?.message, "Node didn't have enough resource: cpu, requested: 3000, used: 2000, capacity: 4000");
  assert.deepEqual(main(world, "web")?.allocatedResources, { cpu: "1" });
  await world.client.delete(resources.pods, "other", { namespace: "default" });
  await world.clock.advance(5_000);
  assert.equal(world.condition("web", "PodResizePending"), undefined, "the condition is taken away");
  assert.deepEqual(main(world, "web")?.resources?.requests, { cpu: "3" });
});

test("a resize beyond the node is infeasible", async () => {
  await using world = new AgentWorld();
  world.start();
  await world.createPod("web", sized("1"));
  await world.clock.advance(1_000);
  await resize(world, "web", "5");
  assert.equal(world.condition("web", "PodResizePending")?.reason, "Infeasible");
  assert.equal(
    world.condition("web", "PodResizePending")?.message,
    "Node didn't have enough capacity: cpu, requested: 5000, capacity: 4000",
  );
});

test("a restarted agent knows what it had granted", async () => {
  await using world = new AgentWorld();
  world.start();
  await world.createPod("web", sized("1"));
  await world.clock.advance(1_000);
  await resize(world, "web", "2");
  await resize(world, "web", "9");
  await world.stop();
  world.start();
  await world.clock.advance(1_000);
  assert.deepEqual(main(world, "web")?.allocatedResources, { cpu: "2" });
  assert.deepEqual(main(world, "web")?.resources?.requests, { cpu: "2" });
  assert.equal(world.condition("web", "PodResizePending")?.reason, "Infeasible");
});

test("a pod as a whole takes new resources, and waits for room like its containers", async () => {
  await using world = new AgentWorld();
  const limits: (string | undefined)[] = [];
  const ensurePod = async ({ spec }: PodObject) => {
    limits.push(spec?.resources?.limits?.["memory"]);
    return "/group";
  };
  world.start({ cgroups: { ...noCgroups, ensurePod } });
  const whole = (cpu: string, memory: string) => ({ resources: { requests: { cpu }, limits: { memory } } });
  await world.createPod("web", whole("1", "1Gi"));
  await world.clock.advance(1_000);
  assert.deepEqual(world.pod("web")?.status?.resources, { requests: { cpu: "1" }, limits: { memory: "1Gi" } });
  const grow = async (cpu: string, memory: string) => {
    const options = { namespace: "default", type: "application/strategic-merge-patch+json" } as const;
    await world.client.patch(resources.pods, "web", { spec: whole(cpu, memory) }, options);
    await world.clock.advance(1_000);
  };
  await grow("2", "2Gi");
  assert.deepEqual(limits, ["1Gi", "2Gi"]);
  assert.deepEqual(world.pod("web")?.status?.allocatedResources, { cpu: "2" });
  assert.deepEqual(world.pod("web")?.status?.resources, { requests: { cpu: "2" }, limits: { memory: "2Gi" } });
  await grow("9", "3Gi");
  assert.equal(world.condition("web", "PodResizePending")?.reason, "Infeasible");
  await world.stop();
  world.start({ cgroups: { ...noCgroups, ensurePod } });
  await world.clock.advance(1_000);
  assert.deepEqual([...new Set(limits)], ["1Gi", "2Gi"], "the next agent knows what was granted");
  assert.equal(main(world, "web")?.restartCount, 0);
});
