import assert from "node:assert/strict";
import { test } from "node:test";
import { fieldErrorMessage } from "../../machinery/index.ts";
import type { CustomResourceDefinition } from "../types/apiextensions/v1.ts";
import { customResourceDefinitionStrategy } from "./custom-resource-definition.ts";

type Version = CustomResourceDefinition["spec"]["versions"][number];

const version = (more: Partial<Version> = {}): Version => ({
  name: "v1",
  served: true,
  storage: true,
  schema: { openAPIV3Schema: { type: "object" } },
  ...more,
});

function definition(more: Partial<CustomResourceDefinition["spec"]> = {}): CustomResourceDefinition {
  const names = { plural: "tabs", kind: "Tab" };
  const made: CustomResourceDefinition = {
    metadata: { name: `${(more.names ?? names).plural}.${more.group ?? "example.com"}` },
    spec: { group: "example.com", scope: "Namespaced", names, versions: [version()], ...more },
  };
  customResourceDefinitionStrategy.applyDefaults?.(made);
  return made;
}

const problems = (crd: CustomResourceDefinition) =>
  (customResourceDefinitionStrategy.validate?.(crd) ?? []).map((error) => fieldErrorMessage(error));

test("names and conversion have defaults", () => {
  const { spec } = definition();
  assert.deepEqual([spec.names.singular, spec.names.listKind, spec.conversion], ["tab", "TabList", { strategy: "None" }]);
  assert.deepEqual(problems(definition()), []);
});

test("what is wrong with a definition is said in upstream's words", () => {
  const cases: readonly (readonly [Partial<CustomResourceDefinition["spec"]>, readonly string[]])[] = [
    [{ group: "plain" }, ['spec.group: Invalid value: "plain": should be a domain with at least one dot']],
    [{ scope: "World" }, ['spec.scope: Unsupported value: "World": supported values: "Cluster", "Namespaced"']],
    [{ versions: [] }, ["spec.versions: Required value: must have at least one version"]],
    [{ versions: [version(), version({ storage: false })] }, ['spec.versions[1].name: Duplicate value: "v1"']],
    [{ versions: [version({ schema: undefined })] }, ["spec.versions[0].schema.openAPIV3Schema: Required value: schemas are required"]],
    [
      { versions: [version(), version({ name: "v2" })] },
      [
        'spec.versions: Invalid value: [{"name":"v1","served":true,"storage":true},{"name":"v2","served":true,"storage":true}]: must have exactly one version marked as storage version',
      ],
    ],
    [
      { versions: [version({ schema: { openAPIV3Schema: {} } })] },
      ["spec.validation.openAPIV3Schema.type: Required value: must not be empty at the root"],
    ],
    [
      { conversion: { strategy: "Webhook" } },
      [
        "spec.conversion.webhookClientConfig: Required value: required when strategy is set to Webhook",
        "spec.conversion.conversionReviewVersions: Required value",
      ],
    ],
    [
      { versions: [version({ additionalPrinterColumns: [{ name: "A", type: "text", jsonPath: "x" }] })] },
      [
        'spec.versions[0].additionalPrinterColumns[0].type: Unsupported value: "text": supported values: "boolean", "date", "integer", "number", "string"',
        'spec.versions[0].additionalPrinterColumns[0].jsonPath: Invalid value: "x": unrecognized character in path: "x"',
      ],
    ],
    [
      { versions: [version({ subresources: { scale: { specReplicasPath: ".status.x", statusReplicasPath: ".status.replicas" } } })] },
      ['spec.versions[0].subresources.scale.specReplicasPath: Invalid value: ".status.x": should be a json path under .spec'],
    ],
    [
      { versions: [version({ selectableFields: [{ jsonPath: ".spec.none" }] })] },
      ['spec.versions[0].selectableFields[0].jsonPath: Invalid value: ".spec.none": is an invalid path: does not refer to a valid field'],
    ],
    [
      { group: "mine.k8s.io" },
      [
        'metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must have approval annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111',
      ],
    ],
  ];
  for (const [spec, expected] of cases) assert.deepEqual(problems(definition(spec)), expected, JSON.stringify(spec));
  const misnamed = definition();
  misnamed.metadata.name = "other";
  assert.deepEqual(problems(misnamed), ['metadata.name: Invalid value: "other": must be spec.names.plural+"."+spec.group']);
});

test("a version in which objects may still be stored cannot be removed", () => {
  const old = definition();
  old.status = { storedVersions: ["v1"] };
  const next = definition({ versions: [version({ name: "v2" })] });
  next.status = old.status;
  const errors = customResourceDefinitionStrategy.validateUpdate?.(next, old) ?? [];
  assert.match(
    fieldErrorMessage(errors[0] ?? { type: "InternalError", path: "", detail: "" }),
    /^status.storedVersions\[0\]: Invalid value: "v1": missing from spec.versions/,
  );
});
