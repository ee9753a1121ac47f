import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { copyJson, deepFreeze } from "../machinery/index.ts";
import { objectOf } from "./arbitrary-object.fixture.ts";
import { builtInCatalog } from "./catalog.ts";

for (const { group, version, kind, facts, strategy } of builtInCatalog().all()) {
  const { applyDefaults } = strategy;
  if (applyDefaults === undefined) continue;
  test(`${group || "core"}/${version} ${kind} with its defaults gets no others, and nothing in it is assigned anew`, () => {
    const property = fc.property(objectOf(facts, 5), (object) => {
      const once: Record<string, unknown> & { metadata: object } = { metadata: {}, spec: {}, ...object };
      applyDefaults(once);
      const twice = copyJson(once);
      for (const [name, member] of Object.entries(twice)) if (name !== "metadata") deepFreeze(member);
      applyDefaults(twice);
      assert.deepEqual(twice, once);
    });
    fc.assert(property, { numRuns: 20, seed: 1 });
  });
}
