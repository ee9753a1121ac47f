import assert from "node:assert/strict";
import { test } from "node:test";
import { builtInCatalog } from "../../api/index.ts";
import type { CustomResourceDefinition, CustomResourceDefinitionVersion } from "../../api/types/apiextensions/v1.ts";
import { SeededRandom } from "../../base/index.ts";
import { DiscoveryEndpoint } from "../discovery/index.ts";
import type { Endpoint } from "../front/exchange.ts";
import { startTestFront } from "../front/fake-server.ts";
import { OpenApiEndpoint } from "../openapi/index.ts";
import { Converter } from "./conversion.ts";
import { servedResources } from "./served-resources.ts";

interface Schema extends Readonly<Record<string, unknown>> {
  readonly properties?: Readonly<Record<string, Schema>>;
}
type Json = Record<string, Record<string, Record<string, Schema>>>;

const openAPIV3Schema = {
  type: "object",
  description: "Waldo is lost.",
  properties: {
    spec: {
      type: "object",
      properties: {
        size: { type: "integer", nullable: true },
        port: { "x-kubernetes-int-or-string": true, anyOf: [{ type: "integer" }, { type: "string" }] },
        free: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
      },
    },
  },
};

function version(name: string, more: Partial<CustomResourceDefinitionVersion> = {}): CustomResourceDefinitionVersion {
  return { name, served: true, storage: true, schema: { openAPIV3Schema }, subresources: { status: {} }, ...more };
}

function resourcesOf(...versions: CustomResourceDefinitionVersion[]) {
  const names = { plural: "waldos", singular: "waldo", kind: "Waldo", listKind: "WaldoList", shortNames: ["wd"], categories: ["all"] };
  const definition: CustomResourceDefinition = {
    metadata: { name: "waldos.example.com" },
    spec: { group: "example.com", scope: "Namespaced", names, versions },
    status: { acceptedNames: names },
  };
  const random = new SeededRandom(1);
  const converter = new Converter({ conversion: undefined, kind: "Waldo", group: "example.com", webhooks: undefined, random });
  return servedResources(definition, { converter, served: new AbortController().signal });
}

async function setUp() {
  const catalog = builtInCatalog();
  const endpoints = new Map<string, Endpoint>([
    ["openapi", new OpenApiEndpoint({ catalog, version: "v1.36.0" })],
    ["apis", new DiscoveryEndpoint({ catalog, serverAddress: () => "" })],
  ]);
  const front = await startTestFront(endpoints);
  const get = async (path: string) => (await front.call({ path })).json() as Json;
  return { catalog, front, get, [Symbol.asyncDispose]: () => front[Symbol.asyncDispose]() };
}

test("discovery names a custom resource with its subresources while it is served", async () => {
  await using at = await setUp();
  assert.equal((await at.front.call({ path: "/apis/example.com" })).code, 404);
  at.catalog.setCustom(resourcesOf(version("v1"), version("v2", { storage: false }), version("v3", { storage: false, served: false })));
  const group = await at.get("/apis/example.com");
  assert.deepEqual(group["versions"], [
    { groupVersion: "example.com/v2", version: "v2" },
    { groupVersion: "example.com/v1", version: "v1" },
  ]);
  assert.deepEqual((await at.get("/apis/example.com/v1"))["resources"], [
    {
      name: "waldos",
      singularName: "waldo",
      namespaced: true,
      kind: "Waldo",
      verbs: ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"],
      shortNames: ["wd"],
      categories: ["all"],
    },
    { name: "waldos/status", singularName: "", namespaced: true, kind: "Waldo", verbs: ["get", "patch", "update"] },
  ]);
  at.catalog.setCustom([]);
  assert.equal((await at.front.call({ path: "/apis/example.com" })).code, 404);
});

test("OpenAPI v3 has the schema as it was written, in the envelope of every object", async () => {
  await using at = await setUp();
  at.catalog.setCustom(resourcesOf(version("v1")));
  const { components, paths } = await at.get("/openapi/v3/apis/example.com/v1");
  const waldo = components?.["schemas"]?.["com.example.v1.Waldo"];
  assert.equal(waldo?.["description"], "Waldo is lost.");
  assert.deepEqual(waldo?.["x-kubernetes-group-version-kind"], [{ group: "example.com", version: "v1", kind: "Waldo" }]);
  assert.deepEqual(waldo?.properties?.["spec"], openAPIV3Schema.properties.spec);
  assert.match(String(waldo?.properties?.["apiVersion"]?.["description"]), /^APIVersion defines/);
  assert.deepEqual(waldo?.properties?.["metadata"]?.["allOf"], [
    { $ref: "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta" },
  ]);
  assert.ok(components?.["schemas"]?.["com.example.v1.WaldoList"]);
  const patch = paths?.["/apis/example.com/v1/namespaces/{namespace}/waldos/{name}"]?.["patch"] as Json | undefined;
  const types = Object.keys(patch?.["requestBody"]?.["content"] ?? {});
  assert.deepEqual(types, ["application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml"]);
});

test("OpenAPI v2 leaves out what it cannot say", async () => {
  await using at = await setUp();
  at.catalog.setCustom(resourcesOf(version("v1")));
  const { definitions } = await at.get("/openapi/v2");
  const spec = (definitions?.["com.example.v1.Waldo"] as Schema | undefined)?.properties?.["spec"];
  assert.deepEqual(spec?.properties, {
    size: {},
    port: { "x-kubernetes-int-or-string": true },
    free: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
  });
});

test("OpenAPI follows a version that is renamed or not served any more", async () => {
  await using at = await setUp();
  at.catalog.setCustom(resourcesOf(version("v1"), version("v2", { storage: false })));
  const paths = async () => Object.keys((await at.get("/openapi/v3"))["paths"] ?? {}).filter((path) => path.includes("example.com"));
  assert.deepEqual(await paths(), ["apis/example.com/v1", "apis/example.com/v2"]);
  at.catalog.setCustom(resourcesOf(version("v1"), version("v4", { storage: false })));
  assert.deepEqual(await paths(), ["apis/example.com/v1", "apis/example.com/v4"]);
  at.catalog.setCustom(resourcesOf(version("v1"), version("v4", { storage: false, served: false })));
  assert.deepEqual(await paths(), ["apis/example.com/v1"]);
  const { definitions } = await at.get("/openapi/v2");
  assert.deepEqual(
    Object.keys(definitions ?? {}).filter((name) => name.startsWith("com.example")),
    ["com.example.v1.Waldo", "com.example.v1.WaldoList"],
  );
});
