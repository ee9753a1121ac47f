import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { connectOptions } from "./connect-options.ts";
import { parseRequest } from "./request-info.ts";

const parse = (target: string) => parseRequest("GET", target);

describe("a request's query", () => {
  it('says yes to what is neither absent nor "0" nor "false", however written', () => {
    const verbs = ["", "?watch", "?watch=true", "?watch=True", "?watch=1", "?watch=false", "?watch=FALSE", "?watch=0"];
    assert.deepEqual(
      verbs.map((query) => parse(`/api/v1/pods${query}`)?.verb),
      ["list", "watch", "watch", "watch", "watch", "list", "list", "list"],
    );
    const info = parse("/api/v1/namespaces/default/pods/p/exec?command=ls&stdin=False&stdout=True");
    assert.deepEqual(info && connectOptions("PodExecOptions", info), {
      kind: "PodExecOptions",
      apiVersion: "v1",
      stdout: true,
      command: ["ls"],
    });
  });
});
