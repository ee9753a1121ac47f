import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { builtInCatalog, resources } from "../api/index.ts";
import { type Logger, SeededRandom, silentLogger, VirtualClock } from "../base/index.ts";
import { statusError } from "../machinery/index.ts";
import { ConnectionError } from "./connection-error.ts";
import { EventRecorder } from "./event-recorder.ts";
import { FakeHandler } from "./fake-handler.ts";
import { LocalClient } from "./local/local-client.ts";

function setUp(logger: Logger = silentLogger) {
  const handler = new FakeHandler();
  const clock = new VirtualClock();
  const client = new LocalClient({ handler, catalog: builtInCatalog(), user: { name: "test", groups: [] }, userAgent: "test" });
  const recorder = new EventRecorder({
    client,
    clock,
    random: new SeededRandom(1),
    logger,
    component: "kubelet",
    host: "n1",
  });
  const stored = async () => (await client.list(resources.events, { namespace: "ns" })).items;
  return { handler, clock, recorder, stored };
}

const pod = { apiVersion: "v1", kind: "Pod", metadata: { namespace: "ns", name: "web", uid: "u" } };

describe("EventRecorder", () => {
  test("stores an event about an object", async () => {
    const { recorder, stored } = setUp();
    recorder.event(pod, "Normal", "Started", "Started container web");
    await recorder.flush();
    const [event] = await stored();
    assert.match(event?.metadata.name ?? "", /^web\.[0-9a-f]{16}$/);
    assert.deepEqual(
      [event?.involvedObject.uid, event?.type, event?.reason, event?.message, event?.count, event?.source, event?.reportingComponent],
      ["u", "Normal", "Started", "Started container web", 1, { component: "kubelet", host: "n1" }, "kubelet"],
    );
  });

  test("counts the same event instead of storing it again", async () => {
    const { clock, recorder, stored } = setUp();
    for (let i = 0; i < 3; i++) {
      recorder.event(pod, "Warning", "BackOff", "Back-off restarting failed container");
      await recorder.flush();
      await clock.advance(10_000);
    }
    const events = await stored();
    assert.equal(events.length, 1);
    assert.equal(events[0]?.count, 3);
    assert.deepEqual([events[0]?.firstTimestamp, events[0]?.lastTimestamp], ["2026-01-01T00:00:00Z", "2026-01-01T00:00:20Z"]);
  });

  test("combines the tenth of similar events and those after it", async () => {
    const { recorder, stored } = setUp();
    for (let i = 1; i <= 12; i++) recorder.event(pod, "Warning", "Failed", `failure ${i}`);
    await recorder.flush();
    const events = await stored();
    assert.equal(events.length, 10);
    assert.deepEqual([events.at(-1)?.message, events.at(-1)?.count], ["(combined from similar events): failure 12", 3]);
  });

  test("silences a source after 25 events of an object, one more every five minutes", async () => {
    const { clock, recorder, stored } = setUp();
    const record = async (times: number) => {
      for (let i = 0; i < times; i++) recorder.event(pod, "Normal", `Reason${clock.now()}x${i}`, "text");
      await recorder.flush();
      return (await stored()).length;
    };
    assert.equal(await record(40), 25);
    await clock.advance(300_000);
    assert.equal(await record(3), 26);
  });

  test("drops what comes while a thousand wait, and says so once", async () => {
    const warnings: string[] = [];
    const { recorder, stored } = setUp({ ...silentLogger, warn: (message) => warnings.push(message) });
    for (let i = 0; i < 1100; i++) recorder.event({ ...pod, metadata: { ...pod.metadata, uid: `u${i}` } }, "Normal", "Started", "text");
    await recorder.flush();
    assert.equal((await stored()).length, 1000);
    assert.deepEqual(warnings, ["drops events: too many are waiting"]);
  });

  test("tries again when the server cannot be reached, not when it refuses", async () => {
    const { clock, handler, recorder, stored } = setUp();
    handler.failNext = new ConnectionError("down", undefined);
    recorder.event(pod, "Normal", "A", "text");
    await clock.advance(10_000);
    assert.equal((await stored()).length, 1);
    handler.failNext = statusError("Forbidden", "no");
    recorder.event(pod, "Normal", "B", "text");
    await clock.advance(100_000);
    assert.equal((await stored()).length, 1);
  });
});
