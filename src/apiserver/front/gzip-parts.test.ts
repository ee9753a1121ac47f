import assert from "node:assert/strict";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { gzipAround } from "./gzip-parts.ts";

const unpacked = (parts: readonly Uint8Array[]) => gunzipSync(Buffer.concat(parts)).toString();

test("answers with different heads around the same chunks are each whole, and the chunks are compressed once", async () => {
  const chunks = ["one,".repeat(1000), "two,".repeat(1000)].map((text) => Buffer.from(text));
  const [first, second] = await Promise.all(["[1:", "[2:"].map((head) => gzipAround(Buffer.from(head), chunks, Buffer.from("]"))));
  assert.ok(first !== undefined && second !== undefined);
  assert.equal(unpacked(first), `[1:${Buffer.concat(chunks)}]`);
  assert.equal(unpacked(second), `[2:${Buffer.concat(chunks)}]`);
  assert.equal(first[2], second[2]);
});

test("nothing around nothing is an empty file", async () => {
  assert.equal(unpacked(await gzipAround(Buffer.alloc(0), [], Buffer.alloc(0))), "");
});
