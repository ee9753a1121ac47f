// Whatever the runtime and the API do to the agent's calls: a pod that is deleted goes, and nothing of it is left running.
import assert from "node:assert/strict";
import { test } from "node:test";
import { resources } from "../api/index.ts";
import { randomInt, SeededRandom } from "../base/index.ts";
import { ConnectionError } from "../client/index.ts";
import { objectModified } from "../machinery/index.ts";
import { AgentWorld } from "./agent.fixture.ts";
import { flaky, type Trouble } from "./flaky.fixture.ts";
import { type Runtime, RuntimeError, type RuntimeEvent } from "./runtime/runtime.ts";

const HISTORIES = 40;
const PODS = 4;
const GRACE_SECONDS = 10;
/** Trouble goes on this long after the first deletion. */
const TROUBLE_MS = 20_000;
/** Then: the longest back-off of an action that failed so long, the agent's own comparison, the grace, and a while to do it all. */
const LIMIT_MS = 32_000 + 60_000 + GRACE_SECONDS * 1_000 + 20_000;

const RUNTIME_CALLS: readonly (keyof Runtime)[] = [
  ...(["listPods", "runSandbox", "stopSandbox", "removeSandbox", "createContainer", "startContainer"] as const),
  ...(["stopContainer", "removeContainer", "imageStatus", "pullImage"] as const),
];

/** Events of which some do not come. */
async function* losing(events: AsyncIterable<RuntimeEvent>, { random, failuresPercent }: Trouble): AsyncIterable<RuntimeEvent> {
  for await (const event of events) if (randomInt(random, 100) >= failuresPercent) yield event;
}

class TroubledWorld extends AgentWorld {
  readonly dice: SeededRandom;
  readonly trouble: { readonly runtime: Trouble; readonly api: Trouble };

  constructor(seed: number) {
    super();
    this.dice = new SeededRandom(seed);
    const [random, { clock, dice }] = [new SeededRandom(seed + 1), this];
    const common = { clock, random, failuresPercent: randomInt(dice, 30), maxDelayMs: randomInt(dice, 3_000) };
    const runtimeError = () => new RuntimeError("FAILED", "rpc error: code = Unknown desc = trouble");
    const apiError = () => (random.next() < 0.5 ? objectModified(resources.pods, "pod") : new ConnectionError("trouble", undefined));
    this.trouble = { runtime: { ...common, error: runtimeError }, api: { ...common, error: apiError } };
  }

  begin(): void {
    const { api, runtime } = this.trouble;
    const { runtime: sound } = this;
    const told = sound.events.bind(sound);
    sound.events = (signal) => losing(told(signal), runtime);
    this.start({ runtime: flaky<Runtime>(sound, RUNTIME_CALLS, runtime), client: flaky(this.client, ["get", "patch", "delete"], api) });
  }

  calm(): void {
    for (const trouble of Object.values(this.trouble)) Object.assign(trouble, { failuresPercent: 0, maxDelayMs: 0 });
  }

  pause(limitMs: number): Promise<void> {
    return this.clock.advance(randomInt(this.dice, limitMs));
  }

  async addPod(name: string): Promise<void> {
    const behaviour = {
      "sim.k8ts.dev/start-delay-seconds": String(randomInt(this.dice, 3)),
      "sim.k8ts.dev/stop-delay-seconds": String(randomInt(this.dice, 2 * GRACE_SECONDS)),
      ...(this.dice.next() < 0.5 ? { "sim.k8ts.dev/run-for-seconds": String(1 + randomInt(this.dice, 4)) } : {}),
    };
    await this.createPod(name, { terminationGracePeriodSeconds: GRACE_SECONDS }, behaviour);
  }

  async deletePod(name: string): Promise<void> {
    await this.client.delete(resources.pods, name, { namespace: "default", options: { gracePeriodSeconds: GRACE_SECONDS } });
  }
}

test("a pod that is deleted at any moment, under any trouble, goes within its time and leaves nothing", async () => {
  for (let seed = 0; seed < HISTORIES; seed++) {
    await using world = new TroubledWorld(seed);
    world.begin();
    const names = Array.from({ length: PODS }, (_, index) => `pod-${index}`);
    for (const name of names) await world.addPod(name);
    for (const name of names) {
      await world.pause(4_000);
      await world.deletePod(name);
    }
    await world.clock.advance(TROUBLE_MS);
    world.calm();
    await world.clock.advance(LIMIT_MS);
    const left = names.filter((name) => world.pod(name) !== undefined);
    assert.deepEqual(left, [], `seed ${seed}: objects`);
    assert.deepEqual(await world.runtime.listPods(), [], `seed ${seed}: in the runtime`);
  }
});
