import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Disruption } from "./disruption.ts";
import type { NodeState } from "./plan.ts";

const nodes = (zone: string, ready: number, notReady: number): NodeState[] =>
  Array.from({ length: ready + notReady }, (_, i) => ({
    metadata: { name: `${zone}-${i}`, labels: { "topology.kubernetes.io/zone": zone } },
    status: { conditions: [{ type: "Ready", status: i < ready ? "True" : "Unknown" }] },
  }));

function disruptionOf(all: readonly NodeState[]): Disruption {
  const disruption = new Disruption();
  for (const node of all) disruption.set(node);
  return disruption;
}

describe("Disruption", () => {
  it("empties a node every ten seconds in a zone that is mostly well", () => {
    assert.equal(disruptionOf(nodes("a", 9, 1)).intervalMs(":a"), 10_000);
  });

  it("stops in a small zone that is mostly down, slows down in a large one", () => {
    assert.equal(disruptionOf(nodes("a", 1, 4)).intervalMs(":a"), Number.POSITIVE_INFINITY);
    assert.equal(disruptionOf(nodes("a", 20, 40)).intervalMs(":a"), 100_000);
  });

  it("is total only when no zone has a node that is ready", () => {
    assert.equal(disruptionOf([...nodes("a", 0, 3), ...nodes("b", 0, 1)]).isTotal, true);
    assert.equal(disruptionOf([...nodes("a", 0, 3), ...nodes("b", 1, 0)]).isTotal, false);
  });

  it("has another state when an answer changes, not with every node", () => {
    const disruption = disruptionOf(nodes("a", 10, 0));
    const before = disruption.state;
    const lose = (count: number) => {
      for (const node of nodes("a", 0, count)) disruption.set(node);
    };
    lose(5);
    assert.equal(disruption.state, before);
    lose(6);
    assert.notEqual(disruption.state, before);
    assert.equal(disruption.intervalMs(":a"), Number.POSITIVE_INFINITY);
  });

  it("forgets nodes that are gone", () => {
    const disruption = disruptionOf([...nodes("a", 0, 2), ...nodes("b", 1, 0)]);
    assert.equal(disruption.isTotal, false);
    disruption.delete("b-0");
    assert.equal(disruption.isTotal, true);
  });
});
