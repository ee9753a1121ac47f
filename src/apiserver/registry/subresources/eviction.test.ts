import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isNotFound } from "../../../machinery/index.ts";
import { CoreFixture } from "../testing/core-fixture.ts";

const BUDGETS = "policy/v1/poddisruptionbudgets";

class EvictionFixture implements AsyncDisposable {
  readonly server: CoreFixture;

  private constructor(server: CoreFixture) {
    this.server = server;
  }

  static async start(): Promise<EvictionFixture> {
    const server = await CoreFixture.start();
    await server.create("serviceaccounts", { metadata: { name: "default" } });
    return new EvictionFixture(server);
  }

  async pod(name: string, { phase = "Running", ready = true } = {}): Promise<void> {
    const spec = { nodeName: "n", containers: [{ name: "c", image: "i" }] };
    const { object } = await this.server.create("pods", { metadata: { name, labels: { app: "web" } }, spec });
    const conditions = [{ type: "Ready", status: ready ? "True" : "False" }];
    await this.server.update("pods", { ...object, status: { phase, conditions } } as never, { subresource: "status" });
  }

  async budget(status: object, spec: object = {}, name = "b"): Promise<void> {
    const whole = { selector: { matchLabels: { app: "web" } }, minAvailable: 1, ...spec };
    const { object } = await this.server.create(BUDGETS, { metadata: { name }, spec: whole });
    const counted = { observedGeneration: 1, disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1, ...status };
    await this.server.update(BUDGETS, { ...object, status: counted } as never, { subresource: "status" });
    await this.server.clock.advance(0);
  }

  evict(name: string, deleteOptions: object = { gracePeriodSeconds: 0 }) {
    return this.server.create("pods", { metadata: { name }, deleteOptions }, { name, subresource: "eviction" });
  }

  async isGone(name: string): Promise<boolean> {
    return this.server.get("pods", name).then(() => false, isNotFound);
  }

  async status(): Promise<Record<string, unknown>> {
    return ((await this.server.get(BUDGETS, "b")).object as unknown as { status: Record<string, unknown> }).status;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.server[Symbol.asyncDispose]();
  }
}

const refusedBy = (message: string, retryAfterSeconds?: number) => (error: unknown) => {
  const { code, details } = (error as { status: { code: number; details: { causes: object[]; retryAfterSeconds?: number } } }).status;
  assert.equal((error as Error).message, "Cannot evict pod as it would violate the pod's disruption budget.");
  assert.deepEqual([code, details.causes, details.retryAfterSeconds], [429, [{ reason: "DisruptionBudget", message }], retryAfterSeconds]);
  return true;
};

describe("an eviction", () => {
  it("takes one disruption from the budget, and is refused when there is none left", async () => {
    await using at = await EvictionFixture.start();
    await at.pod("a");
    await at.pod("b");
    await at.budget({ disruptionsAllowed: 1, currentHealthy: 2 });
    await at.evict("a");
    assert.equal(await at.isGone("a"), true);
    const { disruptionsAllowed, disruptedPods, conditions } = await at.status();
    assert.deepEqual([disruptionsAllowed, Object.keys(disruptedPods as object)], [0, ["a"]]);
    const [condition] = conditions as { type: string; status: string; reason: string }[];
    assert.deepEqual([condition?.type, condition?.status, condition?.reason], ["DisruptionAllowed", "False", "InsufficientPods"]);
    await assert.rejects(at.evict("b"), refusedBy("The disruption budget b does not allow evicting pods currently"));
    assert.equal(await at.isGone("b"), false);
  });

  it("says what the budget needs and has", async () => {
    await using at = await EvictionFixture.start();
    await at.pod("a");
    await at.budget({ currentHealthy: 1, desiredHealthy: 2 });
    await assert.rejects(at.evict("a"), refusedBy("The disruption budget b needs 2 healthy pods and has 1 currently"));
  });

  it("waits for a budget that the controller has not looked at", async () => {
    await using at = await EvictionFixture.start();
    await at.pod("a");
    await at.budget({ observedGeneration: 0, disruptionsAllowed: 1 });
    await assert.rejects(at.evict("a"), refusedBy("The disruption budget b is still being processed by the server.", 10));
  });

  it("marks the pod before it goes", async () => {
    await using at = await EvictionFixture.start();
    await at.pod("a");
    await at.evict("a", {});
    const { metadata, status } = (await at.server.get("pods", "a")).object as { metadata: { deletionTimestamp?: string }; status?: object };
    assert.notEqual(metadata.deletionTimestamp, undefined);
    const { conditions } = status as { conditions: { type: string; status: string; reason: string }[] };
    assert.deepEqual(
      conditions.filter(({ type }) => type === "DisruptionTarget").map(({ reason }) => reason),
      ["EvictionByEvictionAPI"],
    );
  });

  it("changes nothing when it is only tried", async () => {
    await using at = await EvictionFixture.start();
    await at.pod("a");
    await at.budget({ disruptionsAllowed: 1, currentHealthy: 2 });
    await at.evict("a", { dryRun: ["All"] });
    assert.equal(await at.isGone("a"), false);
    assert.equal((await at.status())["disruptionsAllowed"], 1);
  });

  it("of a pod that has not started or has ended asks no budget", async () => {
    await using at = await EvictionFixture.start();
    await at.pod("pending", { phase: "Pending", ready: false });
    await at.pod("ended", { phase: "Succeeded", ready: false });
    await at.budget({});
    for (const name of ["pending", "ended"]) await at.evict(name);
    assert.deepEqual([await at.isGone("pending"), await at.isGone("ended")], [true, true]);
  });

  it("of an unready pod costs nothing where enough are healthy, or where the budget says so", async () => {
    await using at = await EvictionFixture.start();
    await at.pod("a", { ready: false });
    await at.pod("b", { ready: false });
    await at.budget({ currentHealthy: 0, desiredHealthy: 1 });
    await assert.rejects(at.evict("a"), refusedBy("The disruption budget b needs 1 healthy pods and has 0 currently"));
    await at.server.delete(BUDGETS, "b");
    await at.budget({ currentHealthy: 0, desiredHealthy: 1 }, { unhealthyPodEvictionPolicy: "AlwaysAllow" });
    await at.evict("a");
    await at.server.delete(BUDGETS, "b");
    await at.budget({ currentHealthy: 1, desiredHealthy: 1 });
    await at.evict("b");
    assert.deepEqual([await at.isGone("a"), await at.isGone("b")], [true, true]);
  });

  it("of another pod than was meant costs the budget one disruption at most", async () => {
    await using at = await EvictionFixture.start();
    await at.pod("a");
    await at.budget({ disruptionsAllowed: 5, currentHealthy: 6 });
    await assert.rejects(at.evict("a", { preconditions: { uid: "other" } }), /Precondition failed: UID in precondition: other/);
    assert.equal((await at.status())["disruptionsAllowed"], 4);
    const { status } = (await at.server.get("pods", "a")).object as { status?: { conditions?: { type: string }[] } };
    assert.deepEqual(
      status?.conditions?.map(({ type }) => type),
      ["Ready"],
    );
  });

  it("is not possible where two budgets select the pod, nor under another name", async () => {
    await using at = await EvictionFixture.start();
    await at.pod("a");
    await at.budget({ disruptionsAllowed: 1 });
    await at.budget({ disruptionsAllowed: 1 }, {}, "b2");
    await assert.rejects(at.evict("a"), {
      message: "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
    });
    const other = at.server.create("pods", { metadata: { name: "x" } }, { name: "a", subresource: "eviction" });
    await assert.rejects(other, /name in URL does not match name in Eviction object/);
  });
});
