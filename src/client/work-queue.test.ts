import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { silentLogger, VirtualClock } from "../base/index.ts";
import { ControllerRateLimiter } from "./rate-limiter.ts";
import { runWorkers, TerminalError } from "./reconciler.ts";
import { WorkQueue } from "./work-queue.ts";

describe("WorkQueue", () => {
  test("hands keys out in order, each once however often it was added", async () => {
    const queue = new WorkQueue<string>({ clock: new VirtualClock() });
    for (const key of ["a", "b", "a"]) queue.add(key);
    assert.equal(queue.length, 2);
    assert.equal(await queue.get(), "a");
    assert.equal(await queue.get(), "b");
  });

  test("keeps a key that is added while it is worked on until it is done", async () => {
    const queue = new WorkQueue<string>({ clock: new VirtualClock() });
    queue.add("a");
    await queue.get();
    queue.add("a");
    assert.equal(queue.length, 0);
    queue.done("a");
    assert.equal(queue.length, 1);
  });

  test("of several delays of a key the earliest counts", async () => {
    const clock = new VirtualClock();
    const queue = new WorkQueue<string>({ clock });
    queue.addAfter("a", 3000);
    queue.addAfter("a", 1000);
    queue.addAfter("a", 2000);
    await clock.advance(999);
    assert.equal(queue.length, 0);
    await clock.advance(1);
    assert.equal(await queue.get(), "a");
    queue.done("a");
    await clock.advance(5000);
    assert.equal(queue.length, 0);
  });

  test("delays failures of a key by 5 ms, doubling, and all keys together by the bucket", () => {
    const limiter = new ControllerRateLimiter<string>(new VirtualClock(), { bucket: { qps: 1, burst: 3 } });
    assert.deepEqual([limiter.next("a"), limiter.next("a"), limiter.next("b")], [5, 10, 5]);
    assert.deepEqual([limiter.next("c"), limiter.next("d")], [1000, 2000]);
    limiter.forget("a");
    assert.equal(limiter.failures("a"), 0);
  });

  test("answers undefined when shut down or aborted, after handing out what is queued", async () => {
    const queue = new WorkQueue<string>({ clock: new VirtualClock() });
    const abort = new AbortController();
    const waiting = queue.get(abort.signal);
    abort.abort();
    assert.equal(await waiting, undefined);
    queue.add("a");
    queue.shutDown();
    queue.add("b");
    assert.equal(await queue.get(), "a");
    assert.equal(await queue.get(), undefined);
  });

  test("never hands a key to two workers, loses none, and hands none out unasked", async () => {
    const action = fc.record({ what: fc.constantFrom("add", "addAfter", "get", "done", "advance"), key: fc.integer({ min: 0, max: 4 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 60 }), async (actions) => {
        const clock = new VirtualClock();
        const queue = new WorkQueue<number>({ clock });
        const wanted = new Set<number>();
        const dueMs = new Map<number, number>();
        const addAfter = (key: number, delayMs: number) => {
          queue.addAfter(key, delayMs);
          if (delayMs === 0) wanted.add(key);
          else dueMs.set(key, Math.min(dueMs.get(key) ?? Number.POSITIVE_INFINITY, clock.monotonic() + delayMs));
        };
        const advance = async (durationMs: number) => {
          await clock.advance(durationMs);
          for (const [key, atMs] of dueMs) {
            if (atMs > clock.monotonic()) continue;
            dueMs.delete(key);
            wanted.add(key);
          }
        };
        const working = new Set<number>();
        const take = async () => {
          const key = (await queue.get()) as number;
          assert.ok(!working.has(key), "handed out twice");
          assert.ok(wanted.delete(key), "handed out unasked");
          working.add(key);
        };
        const finish = (key: number) => {
          working.delete(key);
          queue.done(key);
        };
        for (const { what, key } of actions) {
          if (what === "add") {
            queue.add(key);
            wanted.add(key);
          }
          if (what === "addAfter") addAfter(key, key * 10);
          if (what === "get" && queue.length > 0) await take();
          if (what === "done" && working.has(key)) finish(key);
          if (what === "advance") await advance(key * 5);
        }
        await advance(100);
        for (const key of [...working]) finish(key);
        while (queue.length > 0) await take();
        assert.deepEqual([...wanted], [], "lost");
      }),
      { numRuns: 60 },
    );
  });
});

describe("runWorkers", () => {
  async function reconcileWith(reconcile: (calls: number) => Promise<{ requeueAfterMs: number } | undefined>, durationMs: number) {
    const clock = new VirtualClock();
    const queue = new WorkQueue<string>({ clock });
    const stop = new AbortController();
    const atMs: number[] = [];
    const workers = runWorkers({
      queue,
      concurrency: 2,
      reconcile: () => reconcile(atMs.push(clock.monotonic())),
      logger: silentLogger,
      signal: stop.signal,
      name: "test",
    });
    queue.add("a");
    await clock.advance(durationMs);
    stop.abort();
    await workers;
    return atMs;
  }

  test("tries again with back-off what threw", async () => {
    const atMs = await reconcileWith((calls) => (calls < 4 ? Promise.reject(new Error("no")) : Promise.resolve(undefined)), 1000);
    assert.deepEqual(atMs, [0, 5, 15, 35]);
  });

  test("does not try again after a TerminalError", async () => {
    assert.deepEqual(await reconcileWith(() => Promise.reject(new TerminalError("never")), 1000), [0]);
  });

  test("looks again when the result says so", async () => {
    assert.deepEqual(await reconcileWith(() => Promise.resolve({ requeueAfterMs: 400 }), 1000), [0, 400, 800]);
  });
});
