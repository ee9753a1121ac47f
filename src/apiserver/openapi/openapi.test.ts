import assert from "node:assert/strict";
import { test } from "node:test";
import protobuf from "protobufjs";
import { builtInCatalog } from "../../api/index.ts";
import { startTestFront } from "../front/fake-server.ts";
import { clientDescriptions, parseTyping } from "./descriptions.ts";
import { OpenApiEndpoint } from "./openapi-endpoint.ts";

const start = () => startTestFront(new Map([["openapi", new OpenApiEndpoint({ catalog: builtInCatalog(), version: "v1.36.0" })]]));

interface Schema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
}

test("every type and nearly every field of a document says what it is for", async () => {
  await using server = await start();
  const document = (await server.call({ path: "/openapi/v3/apis/apps/v1" })).json() as {
    components: { schemas: Record<string, Schema> };
  };
  const { schemas } = document.components;
  const deployment = schemas["io.k8s.api.apps.v1.Deployment"];
  assert.match(deployment?.description ?? "", /^Deployment enables/);
  assert.match(deployment?.properties?.["spec"]?.description ?? "", /DeploymentSpec/);
  assert.match(schemas["io.k8s.api.apps.v1.DeploymentSpec"]?.properties?.["replicas"]?.description ?? "", /desired pods/);
  const silent = Object.entries(schemas).flatMap(([name, { properties = {} }]) => {
    return Object.entries(properties)
      .filter(([, { description }]) => description === undefined)
      .map(([field]) => `${name}.${field}`);
  });
  assert.deepEqual(silent, []);
});

test("types of the same name in two groups are told apart", () => {
  const describe = clientDescriptions();
  assert.notEqual(describe("core.v1.Event")?.text, describe("events.v1.Event")?.text);
  assert.equal(describe("example.v1.Unheard"), undefined);
});

test("a typing's comments lose their stars, and fields get their names back", () => {
  const source = `/**
* Thing says \\"x\\".
*/
export declare class V1Thing {
    /**
    * more to come
    */
    '_continue'?: string;
    'plain'?: string;
}`;
  assert.deepEqual(parseTyping(source), { text: 'Thing says "x".', fields: new Map([["continue", "more to come"]]) });
});

test("old clients get the whole v2 document in protobuf", async () => {
  await using server = await start();
  const accept = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
  const answer = await server.call({ path: "/openapi/v2", headers: { accept } });
  assert.equal(answer.headers["content-type"], "application/com.github.proto-openapi.spec.v2.v1.0+protobuf");
  const root = protobuf.parse(`syntax = "proto3"; package o;
    message Document { string swagger = 1; Info info = 2; Definitions definitions = 9; }
    message Info { string title = 1; string version = 2; }
    message Definitions { repeated NamedSchema additional_properties = 1; }
    message NamedSchema { string name = 1; Schema value = 2; }
    message Schema { string description = 4; TypeItem type = 22; Definitions properties = 25; repeated NamedAny vendor_extension = 31; }
    message TypeItem { repeated string value = 1; }
    message NamedAny { string name = 1; Any value = 2; }
    message Any { string yaml = 2; }`).root;
  interface Named {
    name: string;
    value: {
      type?: { value: string[] };
      properties?: { additionalProperties: Named[] };
      vendorExtension: { name: string; value: { yaml: string } }[];
    };
  }
  const document = root.lookupType("o.Document").decode(answer.body) as unknown as {
    info: { version: string };
    definitions: { additionalProperties: Named[] };
  };
  assert.equal(document.info.version, "v1.36.0");
  const pod = document.definitions.additionalProperties.find(({ name }) => name === "io.k8s.api.core.v1.Pod")?.value;
  assert.deepEqual(pod?.type?.value, ["object"]);
  assert.deepEqual(
    pod?.properties?.additionalProperties.map(({ name }) => name),
    ["apiVersion", "kind", "metadata", "spec", "status"],
  );
  const kinds = pod?.vendorExtension.find(({ name }) => name === "x-kubernetes-group-version-kind")?.value.yaml;
  assert.deepEqual(JSON.parse(kinds ?? ""), [{ group: "", version: "v1", kind: "Pod" }]);
});

test("who has the document is told so, and who wants another format that there is none", async () => {
  await using server = await start();
  const { headers } = await server.call({ path: "/openapi/v2" });
  const again = await server.call({ path: "/openapi/v2", headers: { "if-none-match": String(headers["etag"]) } });
  assert.equal(again.code, 304);
  assert.equal((await server.call({ path: "/openapi/v2", headers: { accept: "text/html" } })).code, 406);
});
