import assert from "node:assert/strict";
import { it } from "node:test";
import { StatusError } from "../../machinery/index.ts";
import { decodeContinue, encodeContinue } from "./continue-token.ts";

it("a token says where a list goes on", () => {
  for (const token of [
    { revision: 7, after: "default/a" },
    { revision: undefined, after: "" },
  ]) {
    assert.deepEqual(decodeContinue(encodeContinue(token)), token);
  }
});

it("JSON that is no token is a bad request, as is what is no JSON", () => {
  for (const text of ["null", "1", "[]", "{", ""]) {
    assert.throws(
      () => decodeContinue(Buffer.from(text).toString("base64url")),
      (error) => error instanceof StatusError && error.status.code === 400,
      text,
    );
  }
});
