// An operator of @kubernetes/client-node for a quarter of a minute, its server killed and ended meanwhile; main.ts lets it run longer.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Agreement, watchOperator } from "./watch-operator.ts";
import { Witness } from "./witness.ts";

describe("an operator beside a server that is restarted", () => {
  it("is told every change once and in order, and its mirrors are right", async () => {
    const agreements: Agreement[] = [];
    const options = { seconds: 15, changesPerSecond: 30, names: 20, restarts: 2, roundSeconds: 15 };
    const violations = await watchOperator(options, (agreement) => agreements.push(agreement));
    assert.deepEqual(violations, []);
    const { notices = 0, lists = 0 } = agreements.at(-1) ?? {};
    assert.ok(notices > 0 && lists > 1, `${notices} notices, ${lists} lists`);
  });
});

describe("the witness", () => {
  const told = (number: number, uid = "u") => ({ name: "a", uid, number });

  it("notes what was left out, told twice, or told of the wrong object", () => {
    const witness = new Witness();
    witness.notice("add", told(1));
    witness.notice("add", told(2));
    witness.notice("update", told(4));
    witness.notice("update", told(4));
    witness.notice("update", told(5, "other"));
    witness.notice("delete", told(4));
    witness.notice("delete", told(4));
    assert.deepEqual(
      witness.violations.map((line) => line.replace(/.*: /, "")),
      [
        "it was there already",
        "nothing was told between it and 2",
        "4 was told before",
        "it is another object, and the deletion was not told",
        "the last one told was 5",
        "it was not there",
      ],
    );
  });

  it("lets changes be left out when a list came between, and counts on after a deletion", () => {
    const witness = new Witness();
    witness.notice("add", told(1));
    witness.listed();
    witness.notice("update", told(7));
    witness.notice("delete", told(7));
    witness.notice("add", told(8, "other"));
    assert.deepEqual(witness.violations, []);
  });
});
