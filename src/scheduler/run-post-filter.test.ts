import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { PostFilterContext, PostFilterResult } from "./framework/plugin.ts";
import { runPostFilter } from "./run-post-filter.ts";
import { testPodInfo } from "./scheduler.fixture.ts";

const run = (...answers: readonly (PostFilterResult | Promise<PostFilterResult> | undefined)[]) => {
  const asked: number[] = [];
  const plugins = answers.map((answer, index) => {
    const postFilter = () => {
      asked.push(index);
      return answer;
    };
    return { weight: 1, plugin: { name: `p${index}`, postFilter } };
  });
  const result = runPostFilter(plugins, testPodInfo(), {} as PostFilterContext);
  return { result, asked };
};

describe("runPostFilter", () => {
  it("ends with the first that finds a way, whose word it is then", () => {
    const { result, asked } = run({ message: "no" }, { nominatedNodeName: "n1", message: "yes" }, { nominatedNodeName: "n2" });
    assert.deepEqual(result, { nominatedNodeName: "n1", message: "" });
    assert.deepEqual(asked, [0, 1]);
  });

  it("tells what all said when nobody finds one", () => {
    assert.deepEqual(run({ message: "no" }, undefined, { nominatedNodeName: "", message: "never" }).result, {
      nominatedNodeName: "",
      message: "no, never",
    });
  });

  it("waits for those that have to ask others", async () => {
    const { result, asked } = run(Promise.resolve({ message: "no" }), { nominatedNodeName: "n2" });
    assert.ok(result instanceof Promise);
    assert.deepEqual(await result, { nominatedNodeName: "n2", message: "" });
    assert.deepEqual(asked, [0, 1]);
  });
});
