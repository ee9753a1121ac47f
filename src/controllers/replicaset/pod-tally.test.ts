import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { ReplicaSet } from "../../api/types/apps/v1.ts";
import type { Pod } from "../../api/types/core/v1.ts";
import type { Informer, InformerHandlers } from "../../client/index.ts";
import { countPods } from "./plan.ts";
import { PodTallies } from "./pod-tally.ts";

const set = (generation = 1): ReplicaSet => ({
  metadata: { name: "web", uid: "set", generation },
  spec: {
    selector: { matchLabels: { app: "web" } },
    template: { metadata: { labels: { app: "web", tier: "front" } }, spec: { containers: [] } },
  },
});

/** Pods that tell one listener of their changes. */
class Pods {
  readonly #pods = new Map<string, Pod>();
  #handlers: InformerHandlers<Pod> = {};
  readonly informer = {
    onChange: (handlers: InformerHandlers<Pod>) => {
      this.#handlers = handlers;
      return () => {};
    },
  } as Informer<Pod>;

  put(pod: Pod): void {
    const { name = "" } = pod.metadata;
    const old = this.#pods.get(name);
    this.#pods.set(name, pod);
    if (old === undefined) this.#handlers.added?.(pod);
    else this.#handlers.updated?.(old, pod);
  }

  /** What is told last may be news, such as of the end of its containers. */
  remove(name: string): void {
    const last = this.#pods.get(name);
    this.#pods.delete(name);
    if (last !== undefined) this.#handlers.deleted?.({ ...last, status: { phase: "Failed" } }, last);
  }

  owned(): readonly Pod[] {
    return [...this.#pods.values()].filter(({ metadata }) => metadata.ownerReferences?.[0]?.uid === "set");
  }
}

const pod = fc.record({
  name: fc.constantFrom("a", "b", "c", "d", "e"),
  owner: fc.constantFrom("set", "set", "other"),
  labels: fc.constantFrom({ app: "web", tier: "front" }, { app: "web" }, { app: "db" }),
  isLeaving: fc.boolean(),
  phase: fc.constantFrom("Pending", "Running", "Succeeded", "Failed"),
  isReady: fc.boolean(),
});

type PodState = typeof pod extends fc.Arbitrary<infer State> ? State : never;

function podOf({ name, owner, labels, isLeaving, phase, isReady }: PodState): Pod {
  const reference = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "web", uid: owner, controller: true };
  const leaving = isLeaving ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {};
  return {
    metadata: { name, labels: { ...labels }, ownerReferences: [reference], ...leaving },
    status: { phase, conditions: [{ type: "Ready", status: isReady ? "True" : "False" }] },
  };
}

test("what is counted as pods change is what counting them all comes to", () => {
  const change = fc.oneof(fc.record({ put: pod }), fc.record({ remove: fc.constantFrom("a", "b", "c", "d", "e") }), fc.constant("ask"));
  fc.assert(
    fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
      const pods = new Pods();
      const tallies = new PodTallies(pods.informer, () => pods.owned());
      for (const change of [...changes, "ask" as const]) {
        if (change === "ask") {
          assert.deepEqual(tallies.of(set()).counts, countPods(set(), pods.owned(), 0));
          assert.equal(
            tallies.of(set()).isPure,
            pods.owned().every(({ metadata }) => metadata.labels?.["app"] === "web"),
          );
        } else if ("put" in change) pods.put(podOf(change.put));
        else pods.remove(change.remove);
      }
    }),
  );
});

test("a set that changes is counted anew", () => {
  const pods = new Pods();
  const tallies = new PodTallies(pods.informer, () => pods.owned());
  pods.put(podOf({ name: "a", owner: "set", labels: { app: "web", tier: "front" }, isLeaving: false, phase: "Running", isReady: true }));
  assert.equal(tallies.of(set()).counts.fullyLabeled, 1);
  const other = { ...set(2), spec: { selector: {}, template: { metadata: { labels: { tier: "back" } }, spec: { containers: [] } } } };
  assert.equal(tallies.of(other).counts.fullyLabeled, 0);
});
