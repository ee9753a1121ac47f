import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fieldErrorMessage } from "../../machinery/index.ts";
import type { Job, JobSpec } from "../types/batch/v1.ts";
import { jobStrategy } from "./job.ts";
import { validateJobUpdate } from "./job-validation.ts";

function job(spec: Partial<JobSpec> = {}, name = "work"): Job {
  const template = { spec: { restartPolicy: "Never", containers: [{ name: "main", image: "i" }] } };
  const made: Job = { metadata: { name, uid: "u" }, spec: { selector: { matchLabels: { a: "b" } }, template, ...spec } };
  jobStrategy.applyDefaults?.(made);
  return made;
}

const problems = (of: Job) => (jobStrategy.validate?.(of) ?? []).map((error) => fieldErrorMessage(error));
const changes = (of: Job, old: Job) => validateJobUpdate(of, old).map((error) => fieldErrorMessage(error));

const indexed = { completionMode: "Indexed", completions: 4 };
const failureRule = (rule: object) => problems(job({ podFailurePolicy: { rules: [rule as never] } }));
const successRule = (rule: object) => problems(job({ ...indexed, successPolicy: { rules: [rule] } }));

describe("a job", () => {
  it("is valid as it comes, with indexes and with policies", () => {
    assert.deepEqual(problems(job()), []);
    const rules = [{ action: "FailJob", onExitCodes: { operator: "In", values: [1, 42], containerName: "main" } }];
    assert.deepEqual(problems(job({ ...indexed, backoffLimitPerIndex: 1, maxFailedIndexes: 2, podFailurePolicy: { rules } })), []);
    assert.deepEqual(successRule({ succeededIndexes: "0,2-3", succeededCount: 2 }), []);
  });

  it("has limits for indexes only when it has indexes", () => {
    assert.deepEqual(problems(job({ backoffLimitPerIndex: 1 })), [
      "spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode",
    ]);
    assert.deepEqual(problems(job({ ...indexed, maxFailedIndexes: 1 })), [
      "spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified",
    ]);
    assert.deepEqual(problems(job({ completionMode: "Indexed", parallelism: 1 })), [
      "spec.completions: Required value: when completion mode is Indexed",
    ]);
    assert.deepEqual(problems(job({ ...indexed, backoffLimitPerIndex: 1, maxFailedIndexes: 5 })), [
      "spec.maxFailedIndexes: Invalid value: 5: must be less than or equal to completions",
    ]);
    assert.deepEqual(problems(job({ ...indexed, completions: 200_000, backoffLimitPerIndex: 1 })), [
      "spec.maxFailedIndexes: Required value: must be specified when completions is above 100000",
    ]);
  });

  it("has a name short enough for its pods", () => {
    const [problem] = problems(job(indexed, "x".repeat(62)));
    assert.match(problem ?? "", /^metadata.name: Invalid value: "x+": will not able to create pod with invalid DNS label: /);
  });

  it("has failure rules that make sense", () => {
    const path = "spec.podFailurePolicy.rules[0]";
    const codes = (values: number[], operator = "In") => ({ action: "FailJob", onExitCodes: { operator, values } });
    assert.deepEqual(failureRule({ action: "FailJob" }), [
      `${path}: Invalid value: "": specifying one of OnExitCodes and OnPodConditions is required`,
    ]);
    assert.deepEqual(failureRule(codes([0, 1])), [`${path}.onExitCodes.values[0]: Invalid value: 0: must not be 0 for the In operator`]);
    assert.deepEqual(failureRule(codes([2, 1])), [`${path}.onExitCodes.values: Invalid value: [2,1]: must be ordered`]);
    assert.deepEqual(failureRule(codes([1, 1])), [`${path}.onExitCodes.values[1]: Duplicate value: 1`]);
    assert.deepEqual(failureRule({ ...codes([1]), action: "FailIndex" }), [
      `${path}.action: Invalid value: "FailIndex": requires the backoffLimitPerIndex to be set`,
    ]);
    assert.deepEqual(problems(job({ podFailurePolicy: { rules: [] }, podReplacementPolicy: "TerminatingOrFailed" })), [
      'spec.podReplacementPolicy: Unsupported value: "TerminatingOrFailed": supported values: "Failed"',
    ]);
  });

  it("has success rules that can be met", () => {
    const path = "spec.successPolicy.rules[0]";
    assert.deepEqual(problems(job({ successPolicy: { rules: [{ succeededCount: 1 }] } })), [
      'spec.successPolicy: Invalid value: {"rules":[{"succeededCount":1}]}: requires indexed completion mode',
    ]);
    assert.deepEqual(successRule({}), [`${path}: Required value: at least one of succeededCount or succeededIndexes must be specified`]);
    const parse = (text: string) => successRule({ succeededIndexes: text })[0]?.split("error parsing succeededIndexes: ")[1];
    assert.equal(parse("4"), 'too large index: "4"');
    assert.equal(parse("2-1"), "non-increasing order, previous: 2, current: 1");
    assert.equal(parse("1,1"), "non-increasing order, previous: 1, current: 1");
    assert.equal(parse("x"), 'cannot convert string to integer for index: "x"');
    assert.deepEqual(successRule({ succeededIndexes: "0-1", succeededCount: 3 }), [
      `${path}.succeededCount: Invalid value: 3: must be less than or equal to 2 (the number of indexes in the specified succeededIndexes field)`,
    ]);
  });

  it("is managed by someone with a domain", () => {
    assert.deepEqual(problems(job({ managedBy: "me" })), [
      'spec.managedBy: Invalid value: "me": must be a domain-prefixed path (such as "acme.io/foo")',
    ]);
  });
});

describe("an update of a job", () => {
  const withTemplate = (of: Job, spec: object) =>
    ({ ...of, spec: { ...of.spec, template: { spec: { ...of.spec?.template.spec, ...spec } } } }) as Job;

  it("may change completions only of an indexed job, together with parallelism", () => {
    assert.deepEqual(changes(job({ completions: 2 }), job({ completions: 1 })), ["spec.completions: Invalid value: 2: field is immutable"]);
    assert.deepEqual(changes(job({ ...indexed, parallelism: 4 }), job({ ...indexed, completions: 2, parallelism: 2 })), []);
    assert.deepEqual(changes(job({ ...indexed, parallelism: 1 }), job({ ...indexed, completions: 2 })), [
      "spec.completions: Invalid value: 4: can only be modified in tandem with spec.parallelism",
    ]);
  });

  it("may tell a suspended job that has not started where to run, and nothing else of its pods", () => {
    const suspended = job({ suspend: true });
    const placed = { nodeSelector: { disk: "ssd" }, affinity: { nodeAffinity: {} }, tolerations: [{ operator: "Exists" }] };
    assert.deepEqual(changes(withTemplate(suspended, placed), suspended), []);
    assert.equal(changes(withTemplate(job(), placed), job()).length, 1);
    assert.equal(changes(withTemplate(suspended, { hostNetwork: true }), suspended).length, 1);
    const started = { ...suspended, status: { startTime: "2026-01-01T00:00:00Z" } };
    assert.equal(changes(withTemplate(suspended, placed), started).length, 1);
  });
});
