import assert from "node:assert/strict";
import { test } from "node:test";
import { builtInCatalog } from "../../api/index.ts";
import type { Endpoint } from "../front/exchange.ts";
import { startTestFront } from "../front/fake-server.ts";
import { clientDescriptions } from "../openapi/descriptions.ts";
import { OpenApiEndpoint } from "../openapi/index.ts";
import { DiscoveryEndpoint } from "./discovery-endpoint.ts";
import { compareVersions } from "./groups.ts";

const catalog = builtInCatalog();

function startServer() {
  const discovery = new DiscoveryEndpoint({ catalog, serverAddress: () => "127.0.0.1:6443" });
  const openApi = new OpenApiEndpoint({ catalog, version: "v1.36.0" });
  return startTestFront(
    new Map<string, Endpoint>([
      ["api", discovery],
      ["apis", discovery],
      ["openapi", openApi],
    ]),
  );
}

test("the aggregated document names each resource with its subresources, and is not sent twice", async () => {
  await using server = await startServer();
  const accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";
  const answer = await server.call({ path: "/apis", headers: { accept } });
  assert.equal(answer.headers["content-type"], "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList");
  const items = answer.json()["items"] as {
    metadata: { name: string };
    versions: { version: string; resources: { resource: string; subresources?: unknown }[] }[];
  }[];
  const autoscaling = items.find((item) => item.metadata.name === "autoscaling");
  assert.deepEqual(
    autoscaling?.versions.map(({ version }) => version),
    ["v2", "v1"],
  );
  const deployments = items.find((item) => item.metadata.name === "apps")?.versions[0]?.resources.find((r) => r.resource === "deployments");
  assert.deepEqual(((deployments?.subresources ?? []) as object[])[0], {
    subresource: "scale",
    responseKind: { group: "autoscaling", version: "v1", kind: "Scale" },
    verbs: ["get", "patch", "update"],
  });
  const again = await server.call({ path: "/apis", headers: { accept, "if-none-match": String(answer.headers["etag"]) } });
  assert.equal(again.code, 304);
});

test("older clients get the lists one by one", async () => {
  await using server = await startServer();
  assert.deepEqual((await server.call({ path: "/api" })).json()["versions"], ["v1"]);
  const core = (await server.call({ path: "/api/v1" })).json() as { resources: { name: string; singularName: string }[] };
  assert.equal(core.resources.find(({ name }) => name === "pods")?.singularName, "pod");
  assert.ok(core.resources.some(({ name }) => name === "pods/status"));
  assert.equal((await server.call({ path: "/apis/apps" })).json()["kind"], "APIGroup");
  assert.equal((await server.call({ path: "/apis/nonsense" })).code, 404);
});

test("versions are ordered by stability, then by number", () => {
  const versions = ["v1alpha1", "v10", "foo", "v2", "v1beta2", "v1"];
  assert.deepEqual(
    versions.sort((a, b) => compareVersions(b, a)),
    ["v10", "v2", "v1", "v1beta2", "v1alpha1", "foo"],
  );
});

test("OpenAPI v3 tells a patch's parameters and how lists merge", async () => {
  await using server = await startServer();
  const index = (await server.call({ path: "/openapi/v3" })).json() as { paths: Record<string, { serverRelativeURL: string }> };
  const document = (await server.call({ path: index.paths["api/v1"]?.serverRelativeURL ?? "" })).json() as {
    paths: Record<string, { patch: { parameters: { name: string }[]; "x-kubernetes-group-version-kind": unknown } }>;
    components: { schemas: Record<string, { properties: Record<string, object>; "x-kubernetes-group-version-kind"?: unknown }> };
  };
  const patch = document.paths["/api/v1/namespaces/{namespace}/pods/{name}"]?.patch;
  assert.ok(patch?.parameters.some(({ name }) => name === "fieldValidation"));
  assert.deepEqual(patch?.["x-kubernetes-group-version-kind"], { group: "", version: "v1", kind: "Pod" });
  assert.partialDeepStrictEqual(document.components.schemas["io.k8s.api.core.v1.PodSpec"]?.properties["containers"], {
    type: "array",
    description: clientDescriptions()("core.v1.PodSpec")?.fields.get("containers"),
    items: { allOf: [{ $ref: "#/components/schemas/io.k8s.api.core.v1.Container" }] },
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["name"],
    "x-kubernetes-patch-strategy": "merge",
    "x-kubernetes-patch-merge-key": "name",
  });
});
