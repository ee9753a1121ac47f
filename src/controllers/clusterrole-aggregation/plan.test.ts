import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ClusterRole, PolicyRule } from "../../api/types/rbac/v1.ts";
import { aggregatedRules } from "./plan.ts";

const rule = (resource: string): PolicyRule => ({ verbs: ["get"], apiGroups: [""], resources: [resource] });
const role = (name: string, labels: Record<string, string>, rules: PolicyRule[], selects?: Record<string, string>): ClusterRole => ({
  metadata: { name, labels },
  rules,
  ...(selects === undefined ? {} : { aggregationRule: { clusterRoleSelectors: [{ matchLabels: selects }] } }),
});

describe("aggregatedRules", () => {
  const parts = [
    role("b", { to: "all" }, [rule("pods"), rule("nodes")]),
    role("a", { to: "all" }, [rule("pods")]),
    role("c", {}, [rule("x")]),
  ];

  it("are those of the selected roles, by name, each once", () => {
    assert.deepEqual(aggregatedRules(role("all", { to: "all" }, [rule("old")], { to: "all" }), parts), [rule("pods"), rule("nodes")]);
  });

  it("are undefined when the role has them, and for roles that select nothing", () => {
    assert.equal(aggregatedRules(role("all", {}, [rule("pods"), rule("nodes")], { to: "all" }), parts), undefined);
    assert.equal(aggregatedRules(role("plain", {}, []), parts), undefined);
    assert.deepEqual(aggregatedRules(role("all", {}, [rule("old")], { to: "none" }), parts), []);
  });
});
