import assert from "node:assert/strict";
import { test } from "node:test";
import { Turns } from "./turns.ts";

function manualTurns() {
  const rounds: (() => void)[] = [];
  const turns = new Turns((round) => rounds.push(round));
  return { turns, playRound: () => rounds.shift()?.(), rounds };
}

test("many go on in the order in which they came, a part of them in each round", () => {
  const { turns, playRound, rounds } = manualTurns();
  const gone: number[] = [];
  const expected = Array.from({ length: 150 }, (_, n) => n);
  for (const n of expected) turns.enter(() => gone.push(n));
  assert.deepEqual(gone, []);
  playRound();
  assert.ok(gone.length > 0 && gone.length < 100, `${gone.length} went on at once`);
  while (rounds.length > 0) playRound();
  assert.deepEqual(gone, expected);
});

test("who comes during a round has a later turn", () => {
  const { turns, playRound, rounds } = manualTurns();
  const gone: string[] = [];
  turns.enter(() => {
    gone.push("first");
    turns.enter(() => gone.push("second"));
  });
  playRound();
  assert.deepEqual(gone, ["first"]);
  playRound();
  assert.deepEqual(gone, ["first", "second"]);
  turns.enter(() => gone.push("third"));
  assert.equal(rounds.length, 1);
});
