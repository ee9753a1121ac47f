// Every decoder of bytes from outside bears half a second of damaged input; `npm run fuzz` goes on for longer.
import assert from "node:assert/strict";
import { it } from "node:test";
import { fuzz } from "./fuzz.ts";
import { neverThrows } from "./target.ts";
import { targets } from "./targets/index.ts";

const SECONDS = 0.5;
const seed = Date.now() % 1_000_000;

for (const target of targets) {
  it(`${target.name} refuses damaged input in its own words, soon`, async () => {
    const { failure } = await fuzz(target, { seed, seconds: SECONDS });
    assert.equal(failure?.problem, undefined, `seed ${seed}, input ${failure?.input.toString("base64")}`);
  });
}

it("an error that a decoder does not declare is found, with the input that it came from", async () => {
  const run = (input: Buffer) => assert(input[0] === 0x61);
  const { failure } = await fuzz({ name: "a", corpus: ["a"], run, isRefusal: neverThrows }, { seed: 1, seconds: 5 });
  assert.notEqual(failure?.input[0], 0x61);
});
