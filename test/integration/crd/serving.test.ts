// Custom resources through the API server: from their definition to their end.
import assert from "node:assert/strict";
import { test } from "node:test";
import { resources } from "../../../src/api/index.ts";
import { CrdCluster, type Custom, cronTabs, definition, version } from "./crd-cluster.ts";

test("a definition is established, served, and gone with its objects when it is deleted", async () => {
  await using cluster = await CrdCluster.begin();
  const { client, clock, catalog } = cluster;
  const defined = await cluster.define();
  assert.deepEqual(
    defined.status?.conditions?.map(({ type, status, reason, message }) => ({ type, status, reason, message })),
    [
      { type: "NamesAccepted", status: "True", reason: "NoConflicts", message: "no conflicts found" },
      { type: "Established", status: "True", reason: "InitialNamesAccepted", message: "the initial names have been accepted" },
    ],
  );
  assert.deepEqual(defined.status?.acceptedNames, {
    plural: "crontabs",
    singular: "crontab",
    shortNames: ["ct"],
    kind: "CronTab",
    listKind: "CronTabList",
    categories: ["all"],
  });
  assert.deepEqual(defined.status?.storedVersions, ["v1"]);
  assert.equal(catalog.find("stable.example.com", "v1", "crontabs")?.kind, "CronTab");

  await client.create(cronTabs, cluster.tab({ image: "cron" }));
  const watched = watchTypes(client.watch(cronTabs));
  await clock.advance(1);
  await client.delete(resources.customresourcedefinitions, "crontabs.stable.example.com");
  assert.ok((await client.get(resources.customresourcedefinitions, "crontabs.stable.example.com")).metadata.deletionTimestamp);
  await clock.advance(1000);
  assert.deepEqual(await cluster.names(resources.customresourcedefinitions), []);
  assert.equal(catalog.find("stable.example.com", "v1", "crontabs"), undefined);
  assert.deepEqual(await watched, ["ADDED", "DELETED"]);

  // A new definition by that name finds nothing of the old one's objects.
  await cluster.define();
  assert.deepEqual(await cluster.names(cronTabs), []);
});

/** The types of all events until the watch ends. */
async function watchTypes(batches: ReturnType<CrdCluster["client"]["watch"]>): Promise<string[]> {
  const types: string[] = [];
  for await (const batch of batches) types.push(...batch.map(({ type }) => type));
  return types;
}

test("a definition whose instances are kept by finalizers is Terminating until they are gone", async () => {
  await using cluster = await CrdCluster.begin();
  const { client, clock } = cluster;
  await cluster.define();
  await client.create(cronTabs, cluster.tab({}, { metadata: { name: "kept", namespace: "default", finalizers: ["example.com/keep"] } }));
  await client.delete(resources.customresourcedefinitions, "crontabs.stable.example.com");
  await clock.advance(1000);
  const crd = await client.get(resources.customresourcedefinitions, "crontabs.stable.example.com");
  const terminating = crd.status?.conditions?.find(({ type }) => type === "Terminating");
  assert.equal(terminating?.reason, "InstanceDeletionInProgress");
  assert.deepEqual(cluster.catalog.find("stable.example.com", "v1", "crontabs")?.verbs.includes("create"), false);
  const kept = await client.get(cronTabs, "kept", { namespace: "default" });
  await client.patch(cronTabs, "kept", { metadata: { finalizers: null } }, { type: "application/merge-patch+json", namespace: "default" });
  assert.ok(kept.metadata.deletionTimestamp);
  await clock.advance(10_000);
  assert.deepEqual(await cluster.names(resources.customresourcedefinitions), []);
});

test("a watch ends when the schema changes, so that nobody sees objects in an old form", async () => {
  await using cluster = await CrdCluster.begin();
  const { client } = cluster;
  await cluster.define();
  const watched = watchTypes(client.watch(cronTabs));
  await client.create(cronTabs, cluster.tab({}));
  await cluster.redefine(({ versions: [first] }) => {
    if (first?.schema?.openAPIV3Schema?.properties) first.schema.openAPIV3Schema.properties["more"] = { type: "string" };
  });
  assert.deepEqual(await watched, ["ADDED"]);
  const created = await client.get(cronTabs, "my-tab", { namespace: "default" });
  assert.equal((await client.update(cronTabs, { ...created, more: "x" } as Custom))["more"], "x");
});

test("names that another definition holds are refused until they are free", async () => {
  await using cluster = await CrdCluster.begin();
  const { client, clock } = cluster;
  await cluster.define();
  const names = { plural: "cronjobs2", kind: "CronTab", singular: "crontab", shortNames: ["ct", "cj"] };
  const second = await cluster.define(definition({ names }));
  const accepted = second.status?.conditions?.find(({ type }) => type === "NamesAccepted");
  assert.deepEqual([accepted?.status, accepted?.reason, accepted?.message], ["False", "SingularConflict", '"crontab" is already in use']);
  assert.equal(second.status?.conditions?.find(({ type }) => type === "Established")?.reason, "NotAccepted");
  await client.delete(resources.customresourcedefinitions, "crontabs.stable.example.com");
  await clock.advance(2000);
  const now = await client.get(resources.customresourcedefinitions, "cronjobs2.stable.example.com");
  assert.equal(now.status?.conditions?.find(({ type }) => type === "Established")?.status, "True");
});

test("objects are pruned, defaulted and validated by their schema", async () => {
  await using cluster = await CrdCluster.begin();
  const { client } = cluster;
  await cluster.define();
  const created = await client.create(
    cronTabs,
    cluster.tab({ unknown: 1, note: null, image: null, free: { any: { thing: 1 } } }, { extra: "x" }),
  );
  assert.deepEqual(created.spec, { cronSpec: "* * * * *", note: null, free: { any: { thing: 1 } }, replicas: 1 });
  assert.equal(created["extra"], undefined);
  assert.equal(created.metadata.generation, 1);
  await assert.rejects(
    client.update(cronTabs, cluster.tab({}, { metadata: { name: "absent", namespace: "default", resourceVersion: "1" } })),
    /not found/,
  );
  await assert.rejects(client.create(cronTabs, cluster.tab({ unknown: 1 }), { fieldValidation: "Strict" }), {
    message: 'CronTab in version "v1" cannot be handled as a CronTab: strict decoding error: unknown field "spec.unknown"',
  });
  const bad = {
    cronSpec: "* * *",
    replicas: 11,
    port: true,
    image: 5,
    hosts: ["a", "a"],
    jobs: [{ name: "x", at: "noon" }, { name: "x" }, {}],
  };
  await assert.rejects(client.create(cronTabs, cluster.tab(bad, { metadata: { name: "bad", namespace: "default" } })), (err: Error) => {
    for (const part of [
      'CronTab.stable.example.com "bad" is invalid',
      "spec.cronSpec: Invalid value: \"* * *\": spec.cronSpec in body should match '^(\\S+\\s){4}\\S+$'",
      "spec.replicas: Invalid value: 11: spec.replicas in body should be less than or equal to 10",
      'spec.image: Invalid value: "integer": spec.image in body must be of type string: "integer"',
      'spec.port: Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean"',
      'spec.hosts[1]: Duplicate value: "a"',
      'spec.jobs[1]: Duplicate value: {"name":"x"}',
      'spec.jobs[0].at: Invalid value: "noon": spec.jobs[0].at in body must be of type date-time: "noon"',
      "spec.jobs[2].name: Required value",
    ])
      assert.ok(err.message.includes(part), `${part}\n${err.message}`);
    return true;
  });
});

test("defaults that come later apply to what is stored already, when it is read", async () => {
  await using cluster = await CrdCluster.begin();
  const { client } = cluster;
  await cluster.define(
    definition({ versions: [version("v1", { schema: { openAPIV3Schema: { type: "object", properties: { a: { type: "string" } } } } })] }),
  );
  await client.create(cronTabs, { ...cluster.tab({}), a: "x" });
  await cluster.redefine((spec) => {
    spec.versions[0] = version("v1", {
      schema: { openAPIV3Schema: { type: "object", properties: { b: { type: "string", default: "late" } } } },
    });
  });
  const read = await client.get(cronTabs, "my-tab", { namespace: "default" });
  assert.deepEqual([read["a"], read["b"]], [undefined, "late"]);
  const [listed] = (await client.list(cronTabs)).items;
  assert.equal(listed?.["b"], "late");
});

test("the status subresource changes the status alone, and the object's generation counts the rest", async () => {
  await using cluster = await CrdCluster.begin();
  const { client } = cluster;
  await cluster.define(definition({ versions: [version("v1", { subresources: { status: {} } })] }));
  const created = await client.create(cronTabs, cluster.tab({}, { status: { replicas: 9 } }));
  assert.equal(created.status, undefined);
  const changed = {
    ...created,
    metadata: { ...created.metadata, labels: { a: "b" } },
    spec: { ...created.spec, replicas: 5 },
    status: { replicas: 3 },
  };
  const status = await client.update(cronTabs, changed as Custom, { subresource: "status" });
  assert.deepEqual(
    [status.status, status.spec?.["replicas"], status.metadata.labels, status.metadata.generation],
    [{ replicas: 3 }, 1, undefined, 1],
  );
  const updated = await client.update(cronTabs, { ...status, spec: { ...status.spec, replicas: 5 }, status: { replicas: 7 } } as Custom);
  assert.deepEqual([updated.status, updated.metadata.generation], [{ replicas: 3 }, 2]);
  await assert.rejects(
    client.update(cronTabs, { ...updated, status: { replicas: "x" } } as Custom, { subresource: "status" }),
    /status.replicas in body must be of type integer/,
  );
});

test("the scale subresource reads and writes the declared paths", async () => {
  await using cluster = await CrdCluster.begin();
  const { client } = cluster;
  const scale = { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas", labelSelectorPath: ".status.labelSelector" };
  await cluster.define(definition({ versions: [version("v1", { subresources: { status: {}, scale } })] }));
  const created = await client.create(cronTabs, cluster.tab({ replicas: 2 }));
  await client.update(cronTabs, { ...created, status: { replicas: 2, labelSelector: "app=x" } } as Custom, { subresource: "status" });
  const shown = (await client.get(cronTabs, "my-tab", { namespace: "default", subresource: "scale" })) as Custom;
  assert.deepEqual([shown.kind, shown.spec, shown.status], ["Scale", { replicas: 2 }, { replicas: 2, selector: "app=x" }]);
  await client.patch(
    cronTabs,
    "my-tab",
    { spec: { replicas: 4 } },
    { type: "application/merge-patch+json", namespace: "default", subresource: "scale" },
  );
  assert.equal((await client.get(cronTabs, "my-tab", { namespace: "default" })).spec?.["replicas"], 4);
});

test("rules in CEL see the object and what it was before", async () => {
  await using cluster = await CrdCluster.begin();
  const { client } = cluster;
  const openAPIV3Schema = {
    type: "object",
    "x-kubernetes-validations": [{ rule: "self.metadata.name.startsWith('my-')", message: "name must start with my-" }],
    properties: {
      spec: {
        type: "object",
        "x-kubernetes-validations": [
          { rule: "self.min <= self.max", messageExpression: "'%d is more than %d'.format([self.min, self.max])", fieldPath: ".min" },
          { rule: "!has(oldSelf.fixed) || self.fixed == oldSelf.fixed", reason: "FieldValueForbidden", message: "fixed is fixed" },
        ],
        properties: {
          min: { type: "integer" },
          max: { type: "integer" },
          fixed: { type: "string", maxLength: 5 },
          once: { type: "string", "x-kubernetes-validations": [{ rule: "self == oldSelf" }] },
          items: { type: "array", maxItems: 3, items: { type: "string", "x-kubernetes-validations": [{ rule: "self != 'bad'" }] } },
          cronSpec: { type: "string" },
        },
      },
    },
  };
  await cluster.define(definition({ versions: [version("v1", { schema: { openAPIV3Schema } })] }));
  const tab = (spec: Record<string, unknown>, name = "my-tab") => cluster.tab(spec, { metadata: { name, namespace: "default" } });
  await assert.rejects(client.create(cronTabs, tab({ min: 1, max: 2 }, "other")), /name must start with my-/);
  await assert.rejects(client.create(cronTabs, tab({ min: 3, max: 2 })), /spec.min: Invalid value: 3 is more than 2/);
  await assert.rejects(
    client.create(cronTabs, tab({ min: 1, max: 2, items: ["a", "bad"] })),
    /spec.items\[1\]: Invalid value: "bad": failed rule: self != 'bad'/,
  );
  await assert.rejects(
    client.create(cronTabs, tab({ max: 2 })),
    /spec: Invalid value: "object": no such key: min evaluating rule: failed rule: self.min <= self.max/,
  );
  const created = await client.create(cronTabs, tab({ min: 1, max: 2, fixed: "a", once: "x" }));
  const update = (spec: Record<string, unknown>) =>
    client.update(cronTabs, {
      ...created,
      metadata: { name: "my-tab", namespace: "default", resourceVersion: created.metadata.resourceVersion },
      spec: { ...created.spec, ...spec },
    } as Custom);
  await assert.rejects(update({ fixed: "b" }), /spec: Forbidden: fixed is fixed/);
  await assert.rejects(update({ once: "y" }), /spec.once: Invalid value: "y": failed rule: self == oldSelf/);
  await update({ max: 5 });
});

test("what a stricter schema forbids may stay as it is, and may not come anew", async () => {
  await using cluster = await CrdCluster.begin();
  const { client } = cluster;
  await cluster.define();
  const created = await client.create(cronTabs, cluster.tab({ image: "a very long name", replicas: 2 }));
  await cluster.redefine(({ versions: [first] }) => {
    const spec = first?.schema?.openAPIV3Schema?.properties?.["spec"];
    if (spec?.properties)
      spec.properties["image"] = { type: "string", maxLength: 3, "x-kubernetes-validations": [{ rule: "self != 'old'" }] };
  });
  const updated = await client.update(cronTabs, { ...created, spec: { ...created.spec, replicas: 3 } } as Custom);
  assert.equal(updated.spec?.["replicas"], 3);
  await assert.rejects(
    client.update(cronTabs, { ...updated, spec: { ...updated.spec, image: "also long" } } as Custom),
    /spec.image: Too long: may not be more than 3 bytes/,
  );
});

test("server-side apply merges lists by the keys of the schema, and strategic merge is refused", async () => {
  await using cluster = await CrdCluster.begin();
  const { client } = cluster;
  await cluster.define();
  const apply = (manager: string, spec: Record<string, unknown>) =>
    client.patch(
      cronTabs,
      "my-tab",
      { apiVersion: "stable.example.com/v1", kind: "CronTab", metadata: { name: "my-tab" }, spec },
      { type: "application/apply-patch+yaml", namespace: "default", fieldManager: manager },
    );
  await apply("one", { cronSpec: "* * * * *", jobs: [{ name: "a" }], hosts: ["x"] });
  const merged = await apply("two", { cronSpec: "* * * * *", jobs: [{ name: "b" }], hosts: ["y"] });
  assert.deepEqual(
    [merged.spec?.["jobs"], merged.spec?.["hosts"]],
    [
      [{ name: "a" }, { name: "b" }],
      ["x", "y"],
    ],
  );
  await assert.rejects(apply("three", { cronSpec: "1 * * * *" }), /conflict/);
  await assert.rejects(
    client.patch(cronTabs, "my-tab", { spec: {} }, { type: "application/strategic-merge-patch+json", namespace: "default" }),
    {
      message:
        /unknown format - accepted media types include: application\/json-patch\+json, application\/merge-patch\+json, application\/apply-patch\+yaml/,
    },
  );
});

test("objects are shown in every served version, and field selectors use the declared fields", async () => {
  await using cluster = await CrdCluster.begin();
  const { client } = cluster;
  const selectableFields = [{ jsonPath: ".spec.image" }];
  await cluster.define(definition({ versions: [version("v1", { selectableFields }), version("v1beta1", { storage: false })] }));
  await client.create(cronTabs, cluster.tab({ image: "one" }));
  const beta = { ...cronTabs, version: "v1beta1" };
  await client.create(beta, {
    ...cluster.tab({ image: "two" }),
    apiVersion: "stable.example.com/v1beta1",
    metadata: { name: "second", namespace: "default" },
  });
  assert.equal((await client.get(beta, "my-tab", { namespace: "default" })).apiVersion, "stable.example.com/v1beta1");
  const list = await client.list(cronTabs, { fieldSelector: "spec.image=two" });
  assert.deepEqual(
    list.items.map(({ apiVersion, metadata }) => [apiVersion, metadata.name]),
    [["stable.example.com/v1", "second"]],
  );
  await assert.rejects(client.list(cronTabs, { fieldSelector: "spec.replicas=1" }), /field label not supported: spec.replicas/);
  // The storage version changes: what is stored in the old one is still shown in both.
  await cluster.redefine((spec) => {
    for (const each of spec.versions) each.storage = !each.storage;
  });
  const crd = await client.get(resources.customresourcedefinitions, "crontabs.stable.example.com");
  assert.deepEqual(crd.status?.storedVersions, ["v1", "v1beta1"]);
  assert.deepEqual(
    (await client.list(cronTabs)).items.map(({ apiVersion }) => apiVersion),
    ["stable.example.com/v1", "stable.example.com/v1"],
  );
});

test("a namespace takes its custom resources along, and an owner its dependents", async () => {
  await using cluster = await CrdCluster.begin();
  const { client, clock } = cluster;
  await cluster.define();
  await clock.advance(3000);
  await cluster.createNamespace("doomed");
  await client.create(cronTabs, cluster.tab({}, { metadata: { name: "there", namespace: "doomed" } }), { namespace: "doomed" });
  const owner = await client.create(cronTabs, cluster.tab({}));
  const ownerReferences = [{ apiVersion: "stable.example.com/v1", kind: "CronTab", name: "my-tab", uid: owner.metadata.uid ?? "" }];
  await cluster.create(resources.configmaps, { metadata: { name: "owned", ownerReferences } });
  await client.delete(resources.namespaces, "doomed");
  await client.delete(cronTabs, "my-tab", { namespace: "default" });
  await clock.advance(5000);
  assert.deepEqual(await cluster.names(cronTabs), []);
  assert.deepEqual((await cluster.names(resources.configmaps, "default")).includes("owned"), false);
  assert.equal((await cluster.names(resources.namespaces)).includes("doomed"), false);
});
