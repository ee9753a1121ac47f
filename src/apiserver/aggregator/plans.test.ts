import assert from "node:assert/strict";
import { test } from "node:test";
import type { CustomResourceDefinition } from "../../api/types/apiextensions/v1.ts";
import type { APIService } from "../../api/types/apiregistration/v1.ts";
import { failedVerdict, isAvailable, localVerdict, missingVerdict, withVerdict } from "./availability.ts";
import { MANAGED_LABEL, planRegistrations } from "./registrations.ts";
import { discoveryEntries } from "./remote-discovery.ts";
import { userHeaders } from "./remote-server.ts";

const crd = (established: string): CustomResourceDefinition =>
  ({
    metadata: { name: "stones.example.com" },
    spec: {
      group: "example.com",
      versions: [
        { name: "v1", served: true },
        { name: "v2", served: false },
      ],
    },
    status: { conditions: [{ type: "Established", status: established }] },
  }) as unknown as CustomResourceDefinition;

const resources = [
  { group: "", version: "v1" },
  { group: "autoscaling", version: "v2" },
  { group: "apiregistration.k8s.io", version: "v1" },
];

test("what is built in is registered with upstream's priorities, what a CRD serves while it is established", () => {
  const { create } = planRegistrations({ resources, crds: [crd("True")], existing: [] });
  assert.deepEqual(
    create.map(({ metadata, spec }) => [
      metadata.name,
      metadata.labels?.[MANAGED_LABEL],
      spec?.groupPriorityMinimum,
      spec?.versionPriority,
    ]),
    [
      ["v1.example.com", "true", 1000, 100],
      ["v1.", "onstart", 18000, 1],
      ["v2.autoscaling", "onstart", 17500, 30],
    ],
  );
  const { create: _, ...rest } = planRegistrations({ resources, crds: [crd("False")], existing: create });
  assert.deepEqual(rest, { update: [], remove: ["v1.example.com"] });
});

test("what someone else registered, or gave a service, stays", () => {
  const service = { name: "x", namespace: "y" };
  const foreign: APIService = {
    metadata: { name: "v1.other" },
    spec: { group: "other", version: "v1", groupPriorityMinimum: 1, versionPriority: 1, service },
  };
  const taken: APIService = {
    metadata: { name: "v1.", labels: { [MANAGED_LABEL]: "onstart" } },
    spec: { group: "", version: "v1", groupPriorityMinimum: 1, versionPriority: 1, service },
  };
  const wrong: APIService = {
    ...taken,
    metadata: { ...taken.metadata, name: "v2.autoscaling" },
    spec: { groupPriorityMinimum: 1, versionPriority: 1 },
  };
  const plan = planRegistrations({ resources, crds: [], existing: [foreign, taken, wrong] });
  assert.deepEqual([plan.create, plan.remove, plan.update.map(({ spec }) => spec?.versionPriority)], [[], [], [30]]);
});

test("a verdict becomes the condition Available, its time that of the last change of status", () => {
  const service = { metadata: { name: "v1." } };
  const first = withVerdict(service, localVerdict, 0);
  assert.deepEqual(first?.status?.conditions, [
    {
      type: "Available",
      status: "True",
      reason: "Local",
      message: "Local APIServices are always available",
      lastTransitionTime: "1970-01-01T00:00:00Z",
    },
  ]);
  assert.ok(first !== undefined && isAvailable(first));
  assert.equal(withVerdict(first, localVerdict, 5000), undefined);
  const reference = { namespace: "ns", name: "svc", port: 443 };
  const gone = withVerdict(first, missingVerdict("service", reference), 5000);
  const [condition] = gone?.status?.conditions ?? [];
  assert.deepEqual([condition?.reason, condition?.message], ["ServiceNotFound", 'service/svc in "ns" is not present']);
  const later = withVerdict(gone ?? service, failedVerdict("https://x/apis/a/v1", "EOF"), 9000);
  assert.equal(later?.status?.conditions?.[0]?.lastTransitionTime, "1970-01-01T00:00:05Z");
});

test("another server's resources come with their subresources in aggregated discovery", () => {
  const entries = discoveryEntries({
    group: "wardle.example.com",
    version: "v1",
    groupPriorityMinimum: 1,
    versionPriority: 1,
    freshness: "Current",
    resources: [
      { name: "flunders", singularName: "flunder", namespaced: true, kind: "Flunder", verbs: ["get"] },
      { name: "flunders/scale", singularName: "", namespaced: true, group: "autoscaling", version: "v1", kind: "Scale", verbs: ["get"] },
    ],
  });
  assert.deepEqual(entries, [
    {
      resource: "flunders",
      responseKind: { group: "wardle.example.com", version: "v1", kind: "Flunder" },
      scope: "Namespaced",
      singularResource: "flunder",
      verbs: ["get"],
      subresources: [{ subresource: "scale", responseKind: { group: "autoscaling", version: "v1", kind: "Scale" }, verbs: ["get"] }],
    },
  ]);
});

test("the user goes in headers, keys and values so that they can be headers", () => {
  const headers = userHeaders({ name: "änn", uid: "1", groups: ["a", "b"], extra: { "example.com/k": ["v"] } });
  assert.deepEqual(Object.keys(headers), ["X-Remote-User", "X-Remote-Group", "X-Remote-Uid", "X-Remote-Extra-example.com%2Fk"]);
  assert.equal(Buffer.from(String(headers["X-Remote-User"]), "latin1").toString("utf8"), "änn");
});
