import assert from "node:assert/strict";
import { test } from "node:test";
import { fieldErrorMessage } from "./field-error.ts";
import type { ObjectMeta } from "./meta/types.ts";
import {
  validateAnnotations,
  validateFieldManager,
  validateLabelSelector,
  validateLabels,
  validateObjectMeta,
  validateObjectMetaUpdate,
} from "./meta-validation.ts";

const texts = (errors: ReturnType<typeof validateLabels>) => errors.map((error) => fieldErrorMessage(error));

test("a name and, for namespaced kinds, a namespace are required", () => {
  assert.deepEqual(texts(validateObjectMeta({ name: "a", namespace: "b" }, { namespaced: true })), []);
  assert.deepEqual(texts(validateObjectMeta({}, { namespaced: true })), [
    "metadata.name: Required value: name or generateName is required",
    "metadata.namespace: Required value",
  ]);
  assert.deepEqual(texts(validateObjectMeta({ name: "a", namespace: "b" }, { namespaced: false })), [
    "metadata.namespace: Forbidden: not allowed on this type",
  ]);
});

test("a generateName may end in a dash", () => {
  assert.deepEqual(validateObjectMeta({ generateName: "web-", name: "web-abcde" }, { namespaced: false }), []);
  assert.equal(validateObjectMeta({ generateName: "Web-", name: "web-abcde" }, { namespaced: false }).length, 1);
});

test("only one owner may be the controller", () => {
  const owner = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "a", uid: "1", controller: true };
  const meta: ObjectMeta = { name: "a", ownerReferences: [owner, { ...owner, name: "b", uid: "2" }] };
  assert.match(
    texts(validateObjectMeta(meta, { namespaced: false }))[0] ?? "",
    /^metadata\.ownerReferences: Invalid value: .*Found "true" in references for ReplicaSet\/a and ReplicaSet\/b$/,
  );
});

test("finalizers are qualified or standard", () => {
  const errors = validateObjectMeta({ name: "a", finalizers: ["mine", "example.com/ok", "orphan"] }, { namespaced: false });
  assert.deepEqual(texts(errors), [
    'metadata.finalizers[0]: Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified',
  ]);
});

test("an update keeps name and uid and needs a resourceVersion", () => {
  const old: ObjectMeta = { name: "a", uid: "1", resourceVersion: "5", generation: 2 };
  assert.deepEqual(validateObjectMetaUpdate({ ...old }, old), []);
  assert.deepEqual(texts(validateObjectMetaUpdate({ name: "b", uid: "1", generation: 1 }, old)), [
    'metadata.resourceVersion: Invalid value: "": must be specified for an update',
    "metadata.generation: Invalid value: 1: must not be decremented",
    'metadata.name: Invalid value: "b": field is immutable',
  ]);
});

test("an object that is being deleted gets no new finalizers", () => {
  const old: ObjectMeta = { name: "a", resourceVersion: "5", deletionTimestamp: "2026-01-01T00:00:00Z", finalizers: ["x.io/a"] };
  assert.deepEqual(texts(validateObjectMetaUpdate({ ...old, finalizers: ["x.io/a", "x.io/b"] }, old)), [
    'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"x.io/b"}',
  ]);
});

test("labels, annotations and managers are checked", () => {
  assert.equal(validateLabels({ "a b": "c d" }, "metadata.labels").length, 2);
  assert.deepEqual(validateAnnotations({ "Example.com/A": "any thing" }, "metadata.annotations"), []);
  assert.deepEqual(texts(validateAnnotations({ a: "x".repeat(256 * 1024) }, "metadata.annotations")), [
    "metadata.annotations: Too long: may not be more than 262144 bytes",
  ]);
  assert.deepEqual(validateFieldManager("kubectl create", "m"), []);
  assert.deepEqual(texts(validateFieldManager("a\nb", "m")), ['m: Invalid value: "a\\nb": invalid character U+000A (at position 1)']);
});

test("a label selector's operators and values fit together", () => {
  const matchExpressions = [
    { key: "a", operator: "In" },
    { key: "b", operator: "Exists", values: ["x"] },
    { key: "c", operator: "Gt", values: ["1"] },
  ];
  assert.deepEqual(texts(validateLabelSelector({ matchExpressions }, "spec.selector")), [
    "spec.selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
    "spec.selector.matchExpressions[1].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
    'spec.selector.matchExpressions[2].operator: Invalid value: "Gt": not a valid selector operator',
  ]);
});
