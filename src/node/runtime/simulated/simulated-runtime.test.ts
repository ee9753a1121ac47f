import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom, VirtualClock } from "../../../base/index.ts";
import { containerOf, runtimeSuite, sandboxOf } from "../runtime.suite.ts";
import type { ContainerConfig } from "../runtime.ts";
import type { SimulatedBehaviour } from "./behaviour.ts";
import { SimulatedRuntime } from "./simulated-runtime.ts";

const IMAGE = "registry.test/app:1";
const PLACE = { logDirectory: "/logs", cgroupParent: "/kubepods" };

runtimeSuite("SimulatedRuntime", async () => {
  const clock = new VirtualClock();
  const runtime = new SimulatedRuntime({ clock, random: new SeededRandom(1) });
  return { runtime, image: IMAGE, ...PLACE, pass: (durationMs) => clock.advance(durationMs), dispose: async () => {} };
});

async function start(behaviour: SimulatedBehaviour, change: Partial<ContainerConfig> = {}) {
  const clock = new VirtualClock();
  const runtime = new SimulatedRuntime({ clock, random: new SeededRandom(1), behaviours: () => behaviour });
  await runtime.pullImage(IMAGE, undefined);
  const sandbox = sandboxOf(PLACE, "web");
  const sandboxId = await runtime.runSandbox(sandbox);
  const id = await runtime.createContainer(sandboxId, { ...containerOf(IMAGE, sandbox, {}), ...change }, sandbox);
  const started = runtime.startContainer(id);
  return { clock, runtime, id, sandbox, started };
}

describe("SimulatedRuntime", () => {
  it("starts after its delay and is ready later", async () => {
    const { clock, runtime, id } = await start({ startDelayMs: 1_000, readyAfterMs: 2_000 });
    await clock.advance(999);
    assert.equal((await runtime.containerStatus(id)).state, "CREATED");
    await clock.advance(1);
    assert.equal((await runtime.containerStatus(id)).state, "RUNNING");
    assert.equal((await runtime.execSync(id, ["probe"])).exitCode, 1);
    await clock.advance(2_000);
    assert.equal((await runtime.execSync(id, ["probe"])).exitCode, 0);
  });

  it("lets annotations of one container override the rules of the node", async () => {
    const annotations = { "sim.k8ts.dev/run-for-seconds": "60", "sim.k8ts.dev/run-for-seconds.main": "2", "sim.k8ts.dev/exit-code": "7" };
    const { clock, runtime, id } = await start({ runForMs: 500 }, { annotations });
    await clock.advance(1_999);
    assert.equal((await runtime.containerStatus(id)).state, "RUNNING");
    await clock.advance(1);
    assert.equal((await runtime.containerStatus(id)).exitCode, 7);
  });

  it("kills a container that outlives its grace", async () => {
    const { clock, runtime, id, started } = await start({ stopDelayMs: 60_000 });
    await started;
    const stopped = runtime.stopContainer(id, 30);
    await clock.advance(29_999);
    assert.equal((await runtime.containerStatus(id)).state, "RUNNING");
    await clock.advance(1);
    await stopped;
    assert.equal((await runtime.containerStatus(id)).exitCode, 137);
  });

  it("gives each pod an address of its own and takes it back", async () => {
    const runtime = new SimulatedRuntime({ clock: new VirtualClock(), random: new SeededRandom(1), podCidr: () => "10.1.2.0/30" });
    const first = await runtime.runSandbox(sandboxOf(PLACE, "a"));
    const addresses = (await runtime.listPods()).map(({ sandboxes }) => sandboxes[0]?.ips[0]);
    assert.deepEqual(addresses, ["10.1.2.2"]);
    await assert.rejects(runtime.runSandbox(sandboxOf(PLACE, "b")), /no addresses left/);
    await runtime.removeSandbox(first);
    await runtime.runSandbox(sandboxOf(PLACE, "c"));
  });
});
