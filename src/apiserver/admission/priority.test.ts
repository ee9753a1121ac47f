import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CoreFixture } from "../registry/testing/core-fixture.ts";

const CLASSES = "scheduling.k8s.io/v1/priorityclasses";
const pod = (name: string, spec: object = {}) => ({ metadata: { name }, spec: { containers: [{ name: "c", image: "i" }], ...spec } });

async function start(): Promise<CoreFixture> {
  const server = await CoreFixture.start();
  await server.create("serviceaccounts", { metadata: { name: "default" } });
  await server.create(CLASSES, { metadata: { name: "high" }, value: 1000, preemptionPolicy: "Never" });
  return server;
}

async function priorityOf(server: CoreFixture, name: string, spec: object = {}) {
  const { object } = await server.create("pods", pod(name, spec));
  const created = (object as unknown as { spec: { priority: number; preemptionPolicy: string; priorityClassName?: string } }).spec;
  return [created.priorityClassName, created.priority, created.preemptionPolicy];
}

describe("Priority", () => {
  it("gives a pod the value and policy of its class, or of the default one", async () => {
    await using server = await start();
    assert.deepEqual(await priorityOf(server, "a", { priorityClassName: "high" }), ["high", 1000, "Never"]);
    assert.deepEqual(await priorityOf(server, "b"), [undefined, 0, "PreemptLowerPriority"]);
    await server.create(CLASSES, { metadata: { name: "usual" }, value: 7, globalDefault: true });
    await server.clock.advance(0);
    assert.deepEqual(await priorityOf(server, "c"), ["usual", 7, "PreemptLowerPriority"]);
  });

  it("refuses values that contradict the class, and classes that are not there", async () => {
    await using server = await start();
    const refused = (spec: object, pattern: RegExp) => assert.rejects(server.create("pods", pod("x", spec)), pattern);
    await refused(
      { priorityClassName: "high", priority: 5 },
      /the integer value of priority \(5\) must not be provided in pod spec; .* computed 1000 /,
    );
    await refused(
      { preemptionPolicy: "Never" },
      /the string value of PreemptionPolicy \(Never\) must not be provided in pod spec; .* computed PreemptLowerPriority /,
    );
    await refused({ priorityClassName: "none" }, /pods "x" is forbidden: no PriorityClass with name none was found/);
  });

  it("lets only one class be the default", async () => {
    await using server = await start();
    const make = (name: string) => server.create(CLASSES, { metadata: { name }, value: 1, globalDefault: true });
    await make("first");
    await server.clock.advance(0);
    await assert.rejects(make("second"), /PriorityClass first is already marked as default. Only one default can exist/);
  });
});
