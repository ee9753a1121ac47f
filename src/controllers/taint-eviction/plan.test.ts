import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Pod, Toleration } from "../../api/types/core/v1.ts";
import { tolerationMs } from "./plan.ts";

const taints = [
  { key: "a", value: "1", effect: "NoExecute" },
  { key: "b", effect: "NoExecute" },
];

function staysMs(...tolerations: Toleration[]): number {
  const pod: Pod = { metadata: { name: "p" }, spec: { containers: [], tolerations } };
  return tolerationMs(pod, taints);
}

describe("tolerationMs", () => {
  it("lets a pod stay for the shortest of its tolerations", () => {
    assert.equal(
      staysMs({ key: "a", operator: "Exists", tolerationSeconds: 300 }, { key: "b", operator: "Exists", tolerationSeconds: 60 }),
      60_000,
    );
  });

  it("lets a pod stay for ever that tolerates everything without a limit", () => {
    assert.equal(staysMs({ operator: "Exists" }), Number.POSITIVE_INFINITY);
  });

  it("sends a pod away at once that does not tolerate one of the taints", () => {
    assert.equal(staysMs({ key: "a", operator: "Exists" }), 0);
    assert.equal(staysMs({ key: "a", value: "2" }, { key: "b", operator: "Exists" }), 0);
    assert.equal(staysMs({ operator: "Exists", effect: "NoSchedule" }), 0);
  });
});
