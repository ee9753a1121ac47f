import assert from "node:assert/strict";
import { test } from "node:test";
import type { CustomResourceDefinition } from "../../api/types/apiextensions/v1.ts";
import { planStatus } from "./plan.ts";

const now = "2024-01-01T00:00:00Z";
const later = "2024-01-02T00:00:00Z";

function definition(
  name: string,
  names: CustomResourceDefinition["spec"]["names"],
  status?: CustomResourceDefinition["status"],
): CustomResourceDefinition {
  const versions = [{ name: "v1", served: true, storage: true }];
  return { metadata: { name }, spec: { group: "example.com", scope: "Namespaced", names, versions }, status };
}

const conditions = (status: CustomResourceDefinition["status"]) =>
  status?.conditions?.map(({ type, status, reason, message }) => `${type}=${status} ${reason}: ${message}`);

test("free names are granted, and the definition is established", () => {
  const crd = definition("tabs.example.com", { plural: "tabs", singular: "tab", kind: "Tab", listKind: "TabList", shortNames: ["t"] });
  const status = planStatus(crd, [crd], now);
  assert.deepEqual(status.acceptedNames, crd.spec.names);
  assert.deepEqual(conditions(status), [
    "NamesAccepted=True NoConflicts: no conflicts found",
    "Established=True InitialNamesAccepted: the initial names have been accepted",
  ]);
  assert.deepEqual(planStatus({ ...crd, status }, [{ ...crd, status }], later), status);
});

test("names of others in the group are refused, each kind of name with its reason", () => {
  const names = { plural: "tabs", singular: "tab", kind: "Tab", listKind: "TabList", shortNames: ["t", "tt"] };
  const other = definition("tabs.example.com", names, { acceptedNames: names });
  const cases: readonly (readonly [Partial<typeof names>, string])[] = [
    [{ plural: "tab" }, 'PluralConflict: "tab" is already in use'],
    [{ singular: "tabs" }, 'SingularConflict: "tabs" is already in use'],
    [{ shortNames: ["t", "tt"] }, 'ShortNamesConflict: ["t" is already in use, "tt" is already in use]'],
    [{ kind: "Tab" }, 'KindConflict: "Tab" is already in use'],
    [{ listKind: "TabList" }, 'ListKindConflict: "TabList" is already in use'],
  ];
  for (const [wanted, expected] of cases) {
    const crd = definition("mine.example.com", { plural: "mine", singular: "my", kind: "Mine", listKind: "MineList", ...wanted });
    const status = planStatus(crd, [crd, other], now);
    assert.deepEqual(conditions(status), [`NamesAccepted=False ${expected}`, "Established=False NotAccepted: not all names are accepted"]);
  }
  const elsewhere = { ...other, spec: { ...other.spec, group: "other.com" } };
  const crd = definition("tabs2.example.com", { ...names, plural: "tabs2" });
  assert.equal(planStatus(crd, [crd, elsewhere], now).conditions?.[0]?.status, "True");
});

test("an established definition stays so when a new name is refused, and keeps the old one", () => {
  const held = { plural: "tabs", kind: "Tab", shortNames: ["t"] };
  const other = definition(
    "others.example.com",
    { plural: "others", kind: "Other" },
    { acceptedNames: { plural: "others", kind: "Other", shortNames: ["o"] } },
  );
  const established = [
    {
      type: "Established",
      status: "True",
      lastTransitionTime: now,
      reason: "InitialNamesAccepted",
      message: "the initial names have been accepted",
    },
  ];
  const crd = definition("tabs.example.com", { ...held, shortNames: ["o"] }, { acceptedNames: held, conditions: established });
  const status = planStatus(crd, [crd, other], later);
  assert.deepEqual(status.acceptedNames?.shortNames, ["t"]);
  assert.deepEqual(
    status.conditions?.map(({ type, status, lastTransitionTime }) => [type, status, lastTransitionTime]),
    [
      ["Established", "True", now],
      ["NamesAccepted", "False", later],
    ],
  );
});

test("definitions in protected groups say whether they were approved", () => {
  const crd = definition("tabs.x.k8s.io", { plural: "tabs", kind: "Tab" });
  const spec = { ...crd.spec, group: "x.k8s.io" };
  const judged = (value: string) => {
    const annotated = { ...crd, spec, metadata: { ...crd.metadata, annotations: { "api-approved.kubernetes.io": value } } };
    return conditions(planStatus(annotated, [annotated], now))?.[2];
  };
  assert.equal(
    judged("https://github.com/kubernetes/x/pull/1"),
    "KubernetesAPIApprovalPolicyConformant=True ApprovedAnnotation: approved in https://github.com/kubernetes/x/pull/1",
  );
  assert.equal(
    judged("unapproved, experimental"),
    'KubernetesAPIApprovalPolicyConformant=False UnapprovedAnnotation: not approved: "unapproved, experimental"',
  );
});
