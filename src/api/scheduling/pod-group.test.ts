import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fieldErrorMessage } from "../../machinery/index.ts";
import type { PodGroup, PodGroupTemplate, Workload } from "../types/scheduling/v1alpha2.ts";
import { podGroupStrategy, workloadStrategy } from "./pod-group.ts";

const group = (spec: Partial<PodGroup["spec"]> = {}): PodGroup => ({
  metadata: { name: "g", namespace: "default" },
  spec: { schedulingPolicy: { gang: { minCount: 2 } }, ...spec },
});
const workload = (...podGroupTemplates: PodGroupTemplate[]): Workload => ({ metadata: { name: "w" }, spec: { podGroupTemplates } });
const template = (name: string): PodGroupTemplate => ({ name, schedulingPolicy: { basic: {} } });

const wrong = (object: PodGroup) => podGroupStrategy.validate?.(object).map((error) => fieldErrorMessage(error));
const wrongWorkload = (object: Workload) => workloadStrategy.validate?.(object).map((error) => fieldErrorMessage(error));

describe("a PodGroup", () => {
  it("has one policy, and a gang at least one pod", () => {
    assert.deepEqual(wrong(group()), []);
    assert.deepEqual(wrong(group({ schedulingPolicy: {} })), [
      'spec.schedulingPolicy: Invalid value: "": must specify one of: `basic`, `gang`',
    ]);
    assert.deepEqual(wrong(group({ schedulingPolicy: { gang: { minCount: -1 } } })), [
      "spec.schedulingPolicy.gang.minCount: Invalid value: -1: must be greater than or equal to 1",
    ]);
    assert.match(wrong(group({ schedulingPolicy: { basic: {}, gang: { minCount: 1 } } }))?.[0] ?? "", /must specify exactly one of/);
  });

  it("never changes", () => {
    const changed = podGroupStrategy.validateUpdate?.(group({ schedulingPolicy: { gang: { minCount: 3 } } }), group());
    assert.deepEqual(
      changed?.map((error) => fieldErrorMessage(error)),
      ['spec.schedulingPolicy: Invalid value: {"gang":{"minCount":3}}: field is immutable'],
    );
  });
});

describe("a Workload", () => {
  it("has one to eight templates of different names", () => {
    assert.deepEqual(wrongWorkload(workload(template("a"), template("b"))), []);
    assert.deepEqual(wrongWorkload(workload()), ["spec.podGroupTemplates: Required value"]);
    assert.deepEqual(wrongWorkload(workload(template("a"), template("a"))), ['spec.podGroupTemplates[1]: Duplicate value: {"name":"a"}']);
    const nine = Array.from({ length: 9 }, (_, index) => template(`t${index}`));
    assert.deepEqual(wrongWorkload(workload(...nine)), ["spec.podGroupTemplates: Too many: 9: must have at most 8 items"]);
  });

  it("may be told its controller later, once", () => {
    const ref = { apiGroup: "batch", kind: "Job", name: "j" };
    const owned = { ...workload(template("a")), spec: { ...workload(template("a")).spec, controllerRef: ref } };
    assert.deepEqual(workloadStrategy.validateUpdate?.(owned, workload(template("a"))), []);
    assert.equal(workloadStrategy.validateUpdate?.(workload(template("a")), owned).length, 1);
  });
});
