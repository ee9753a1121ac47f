import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type OwnerState, planDependent } from "./plan.ts";

function plan(states: readonly OwnerState[], options: { finalizers?: string[]; dependents?: "none" | "some" | "deleting" } = {}) {
  const { finalizers, dependents = "none" } = options;
  return planDependent({
    metadata: { finalizers },
    owners: states.map((state, i) => ({ uid: `${state}-${i}`, state })),
    hasDependents: dependents !== "none",
    hasDeletingDependent: dependents === "deleting",
  });
}

describe("the plan for a dependent", () => {
  it("keeps it while all its owners are there", () => {
    assert.deepEqual(plan(["solid", "solid"]), { action: "keep" });
    assert.deepEqual(plan([]), { action: "keep" });
  });

  it("drops the references to owners that are gone or going while one is there", () => {
    assert.deepEqual(plan(["dangling", "solid", "waiting"]), { action: "dropOwners", uids: new Set(["dangling-0", "waiting-2"]) });
  });

  it("deletes it in the foreground when an owner waits and it has dependents itself", () => {
    assert.deepEqual(plan(["waiting"], { dependents: "some" }), { action: "delete", policy: "Foreground", unblocks: false });
    assert.deepEqual(plan(["waiting"], { dependents: "deleting" }), { action: "delete", policy: "Foreground", unblocks: true });
  });

  it("deletes it in the background otherwise, unless a finalizer says how", () => {
    assert.deepEqual(plan(["waiting"]), { action: "delete", policy: "Background", unblocks: false });
    assert.deepEqual(plan(["dangling"], { dependents: "some" }), { action: "delete", policy: "Background", unblocks: false });
    assert.deepEqual(plan(["dangling"], { finalizers: ["orphan"] }), { action: "delete", policy: "Orphan", unblocks: false });
    assert.deepEqual(plan(["dangling"], { finalizers: ["foregroundDeletion"] }), {
      action: "delete",
      policy: "Foreground",
      unblocks: false,
    });
  });
});
