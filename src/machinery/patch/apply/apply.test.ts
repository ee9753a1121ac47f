import assert from "node:assert/strict";
import { test } from "node:test";
import { deepFreeze } from "../../meta/object.ts";
import type { ManagedFieldsEntry } from "../../meta/types.ts";
import type { FieldFacts, FieldType, TypeFacts } from "../../schema.ts";
import { type ApplyRequest, apply, type TrackUpdateRequest, trackUpdate } from "./apply.ts";
import { ApplyConflictError } from "./conflicts.ts";

const text: FieldType = { kind: "scalar", scalar: "string" };
const int: FieldType = { kind: "scalar", scalar: "int32" };

function type(name: string, fields: Record<string, FieldType | Partial<FieldFacts>>): TypeFacts {
  const facts = Object.entries(fields).map(([key, of]): [string, FieldFacts] => {
    const partial: Partial<FieldFacts> = "kind" in of ? { type: of } : of;
    return [key, { name: key, type: text, isRequired: false, ...partial }];
  });
  return { name, fields: new Map(facts) };
}

const object = (of: TypeFacts): FieldType => ({ kind: "object", type: of });
const list = (items: FieldType): FieldType => ({ kind: "list", items });
const strings: FieldType = { kind: "map", values: text };

const port = type("core.v1.ContainerPort", { containerPort: int, protocol: { defaultValue: "TCP" }, name: text });
const container = type("core.v1.Container", {
  name: text,
  image: text,
  args: { type: list(text), listType: "atomic" },
  ports: { type: list(object(port)), listType: "map", listMapKeys: ["containerPort", "protocol"] },
});
const spec = type("apps.v1.DeploymentSpec", {
  replicas: int,
  selector: { type: strings, mapType: "atomic" },
  strategy: object(type("apps.v1.DeploymentStrategy", { type: text, surge: int })),
  containers: { type: list(object(container)), isRequired: true, listType: "map", listMapKeys: ["name"] },
});
const meta = type("meta.v1.ObjectMeta", {
  name: text,
  uid: text,
  labels: strings,
  finalizers: { type: list(text), listType: "set" },
  managedFields: { type: list({ kind: "scalar", scalar: "any" }), listType: "atomic" },
});
const facts = type("apps.v1.Deployment", {
  apiVersion: text,
  kind: text,
  metadata: object(meta),
  spec: object(spec),
  status: object(type("apps.v1.DeploymentStatus", { replicas: int })),
});

interface Thing {
  metadata: Record<string, unknown> & { managedFields?: ManagedFieldsEntry[] };
  spec?: Record<string, unknown> & { containers?: { name: string; ports?: unknown }[] };
}

const base = { facts, apiVersion: "apps/v1", now: 0 };
const thing = (rest: object = {}, metadata: object = {}) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "a", ...metadata },
  ...rest,
});

function applied(live: unknown, config: unknown, options: Partial<ApplyRequest> = {}): Thing {
  const result = apply({ ...base, manager: "one", live: deepFreeze(live), applied: deepFreeze(config), ...options });
  return result.object as unknown as Thing;
}

function updated(old: unknown, next: Thing | ReturnType<typeof thing>, options: Partial<TrackUpdateRequest> = {}): Thing {
  const managedFields = trackUpdate({ ...base, manager: "editor", old, updated: next, operation: "Update", ...options });
  return { ...next, metadata: { ...next.metadata, managedFields: [...managedFields] } };
}

const fieldsOf = (of: Thing, manager: string) => of.metadata.managedFields?.find((entry) => entry.manager === manager)?.fieldsV1;

test("an apply that creates owns what it names", () => {
  const config = thing(
    { spec: { replicas: 1, selector: { a: "b" }, containers: [{ name: "c", ports: [{ containerPort: 80 }], args: ["x"] }] } },
    { labels: { app: "a" }, finalizers: ["x.io/y"] },
  );
  const result = applied(undefined, config);
  assert.deepEqual(result.metadata.managedFields, [
    {
      manager: "one",
      operation: "Apply",
      apiVersion: "apps/v1",
      time: "1970-01-01T00:00:00Z",
      fieldsType: "FieldsV1",
      fieldsV1: {
        "f:metadata": { "f:finalizers": { 'v:"x.io/y"': {} }, "f:labels": { "f:app": {} } },
        "f:spec": {
          "f:containers": {
            'k:{"name":"c"}': {
              ".": {},
              "f:args": {},
              "f:name": {},
              "f:ports": { 'k:{"containerPort":80,"protocol":"TCP"}': { ".": {}, "f:containerPort": {} } },
            },
          },
          "f:replicas": {},
          "f:selector": {},
        },
      },
    },
  ]);
});

test("two appliers own different containers, labels and finalizers of one object", () => {
  const first = applied(
    undefined,
    thing({ spec: { containers: [{ name: "c", image: "1" }] } }, { labels: { a: "1" }, finalizers: ["x.io/a"] }),
  );
  const both = applied(first, thing({ spec: { containers: [{ name: "d" }] } }, { labels: { b: "2" }, finalizers: ["x.io/b"] }), {
    manager: "two",
  });
  assert.deepEqual(both.metadata["labels"], { a: "1", b: "2" });
  assert.deepEqual(both.metadata["finalizers"], ["x.io/a", "x.io/b"]);
  assert.deepEqual(both.spec?.containers, [{ name: "c", image: "1" }, { name: "d" }]);
});

test("a conflict is reported in upstream's words, and force takes the field over", () => {
  const live = updated(undefined, thing({ spec: { replicas: 1 } }), { manager: "kubectl-client-side-apply" });
  const config = thing({ spec: { replicas: 2 } });
  assert.throws(
    () => applied(live, config),
    (error) =>
      error instanceof ApplyConflictError &&
      error.message === 'Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using apps/v1: .spec.replicas' &&
      error.toStatusError().code === 409,
  );
  const forced = applied(live, config, { force: true });
  assert.deepEqual(fieldsOf(forced, "one"), { "f:spec": { "f:replicas": {} } });
  assert.equal(fieldsOf(forced, "kubectl-client-side-apply"), undefined);
});

test("conflicts with several managers are listed by manager", () => {
  const config = { spec: { replicas: 1, containers: [{ name: "c", image: "1" }] } };
  const live = applied(applied(undefined, thing(config)), thing(config), { manager: "two" });
  assert.throws(() => applied(live, thing({ spec: { replicas: 2, containers: [{ name: "c", image: "2" }] } }), { manager: "three" }), {
    message:
      'Apply failed with 4 conflicts: conflicts with "one":\n- .spec.containers[name="c"].image\n- .spec.replicas\nconflicts with "two":\n- .spec.containers[name="c"].image\n- .spec.replicas',
  });
});

test("the same value is shared without a conflict", () => {
  const first = applied(undefined, thing({ spec: { replicas: 1 } }));
  const second = applied(first, thing({ spec: { replicas: 1 } }), { manager: "two" });
  assert.deepEqual(fieldsOf(second, "one"), fieldsOf(second, "two"));
  const released = applied(second, thing({ spec: {} }));
  assert.equal(released.spec?.["replicas"], 1);
});

test("what an applier no longer applies and nobody else owns is removed, its struct too", () => {
  const first = applied(
    undefined,
    thing({ spec: { replicas: 1, strategy: { type: "x" }, containers: [{ name: "c" }, { name: "d" }] } }, { labels: { a: "1", b: "2" } }),
  );
  const defaulted = { ...first, spec: { ...first.spec, strategy: { type: "x", surge: 1 } } };
  const second = applied(defaulted, thing({ spec: { replicas: 1, containers: [{ name: "d" }] } }, { labels: { b: "2" } }));
  assert.deepEqual(second.spec, { replicas: 1, containers: [{ name: "d" }] });
  assert.deepEqual(second.metadata["labels"], { b: "2" });
});

test("a port without protocol is the same as one with the default", () => {
  const ports = [{ containerPort: 80, protocol: "TCP", name: "http" }];
  const live = updated(undefined, thing({ spec: { containers: [{ name: "c", ports }] } }));
  const result = applied(live, thing({ spec: { containers: [{ name: "c", ports: [{ containerPort: 80, name: "web" }] }] } }), {
    force: true,
  });
  assert.deepEqual(result.spec?.containers?.[0]?.ports, [{ containerPort: 80, protocol: "TCP", name: "web" }]);
});

test("applying the same again changes nothing, not even the time", () => {
  const config = thing({ spec: { replicas: 1 } });
  const first = applied(undefined, config);
  const again = apply({ ...base, manager: "one", live: first, applied: config, now: 5_000_000 });
  assert.equal(again.isChanged, false);
  assert.deepEqual(again.object, first);
});

test("an object without owners gets before-first-apply", () => {
  const result = applied(thing({ spec: { replicas: 1 } }, { labels: { a: "1" } }), thing({ spec: { replicas: 1 } }));
  assert.deepEqual(fieldsOf(result, "before-first-apply"), {
    "f:metadata": { "f:labels": { ".": {}, "f:a": {} } },
    "f:spec": { "f:replicas": {} },
  });
});

test("an update owns what it changed, loses what it removed, and keeps other entries as they are", () => {
  const live = applied(undefined, thing({ spec: { replicas: 1, selector: { a: "b" } } }));
  const edited = updated(live, { ...live, spec: { replicas: 3, selector: { a: "b" } } }, { subresource: "scale", now: 1000 });
  assert.deepEqual(fieldsOf(edited, "one"), { "f:spec": { "f:selector": {} } });
  assert.deepEqual(edited.metadata.managedFields?.[1], {
    manager: "editor",
    operation: "Update",
    apiVersion: "apps/v1",
    time: "1970-01-01T00:00:01Z",
    fieldsType: "FieldsV1",
    fieldsV1: { "f:spec": { "f:replicas": {} } },
    subresource: "scale",
  });
  const cut = updated(edited, { ...edited, spec: { selector: { a: "b" } } }, { manager: "other" });
  assert.equal(fieldsOf(cut, "editor"), undefined);
});

test("an update that changes nothing answers the very same entries", () => {
  const live = updated(undefined, thing({ spec: { replicas: 1 } }));
  const entries = trackUpdate({ ...base, manager: "editor", old: live, updated: { ...live }, operation: "Update" });
  assert.equal(entries, live.metadata.managedFields);
});

test("a writer that changes what it owns already keeps its set as it is", () => {
  const live = updated(undefined, thing({ spec: { replicas: 1, selector: { a: "b" } } }));
  const set = fieldsOf(live, "editor");
  const changed = updated(live, thing({ spec: { replicas: 2, selector: { a: "b" } } }, live.metadata), { now: 1000 });
  assert.equal(fieldsOf(changed, "editor"), set);
  assert.equal(changed.metadata.managedFields?.[0]?.time, "1970-01-01T00:00:01Z");
  const cut = updated(changed, thing({ spec: { replicas: 3 } }, changed.metadata));
  assert.deepEqual(fieldsOf(cut, "editor"), { "f:spec": { "f:replicas": {} } });
});

test("fields that the endpoint does not write are not owned", () => {
  const live = updated(undefined, thing({ spec: { replicas: 1 }, status: { replicas: 1 } }), { resetFields: ["status"] });
  assert.deepEqual(fieldsOf(live, "editor"), { "f:spec": { "f:replicas": {} } });
});

test("owners that cannot be read do not replace those that are", () => {
  const live = applied(undefined, thing({ spec: { replicas: 1 } }));
  const broken = [{ manager: "one", operation: "Apply" as const, apiVersion: "apps/v1", fieldsV1: { "f:spec": { "f:replicas": "x" } } }];
  const next = updated(live, thing({ spec: { replicas: 2 } }, { managedFields: broken }));
  assert.deepEqual(fieldsOf(next, "editor"), { "f:spec": { "f:replicas": {} } });
  assert.equal(applied(next, thing({})).spec?.replicas, 2);
});

test("the oldest updaters are thrown together when there are more than ten", () => {
  let live = updated(undefined, thing({}, { labels: {} }), { manager: "m0" });
  for (let index = 1; index <= 12; index++) {
    const labels = { ...(live.metadata["labels"] as object), [`l${index}`]: "x" };
    live = updated(live, { ...live, metadata: { ...live.metadata, labels } }, { manager: `m${index}`, now: index * 1000 });
  }
  const managers = live.metadata.managedFields?.map(({ manager }) => manager);
  assert.equal(managers?.length, 10);
  assert.equal(managers?.includes("ancient-changes"), true);
  assert.equal(managers?.includes("m12"), true);
});

test("without a schema objects are owned by member and lists whole", () => {
  const live = applied(undefined, thing({ spec: { a: { b: [1] }, c: 1 } }), { facts: undefined });
  const next = applied(live, thing({ spec: { a: { d: 1 } } }), { facts: undefined, manager: "two" });
  assert.deepEqual(next.spec, { a: { b: [1], d: 1 }, c: 1 });
  const cut = applied(next, thing({ spec: { c: 1 } }), { facts: undefined });
  assert.deepEqual(cut.spec, { a: { d: 1 }, c: 1 });
});

test("a client may reset the owners", () => {
  const live = updated(undefined, thing({ spec: { replicas: 1 } }));
  assert.deepEqual(updated(live, { ...live, metadata: { ...live.metadata, managedFields: [{}] } }).metadata.managedFields, []);
});

test("a configuration that does not fit the schema is refused", () => {
  const containers = [{ name: "c" }, { name: "c" }, { image: "x" }];
  assert.throws(() => applied(undefined, thing({ spec: { foo: 1 } })), {
    message: "failed to create typed patch object (/a; apps/v1, Kind=Deployment): .spec.foo: field not declared in schema",
  });
  assert.throws(() => applied(undefined, thing({ spec: { containers } })), {
    message: [
      "failed to create typed patch object (/a; apps/v1, Kind=Deployment): errors:",
      '  .spec.containers: duplicate entries for key [name="c"]',
      '  .spec.containers: element 2: associative list with keys has an element that omits key field "name" (and doesn\'t have default value)',
    ].join("\n"),
  });
});
