import assert from "node:assert/strict";
import { test } from "node:test";
import { mergeV2, type SwaggerDocument } from "./merge-v2.ts";
import { encodeDocumentV2 } from "./protobuf-v2.ts";

const ref = (name: string) => ({ $ref: `#/definitions/${name}` });
const get = (name: string) => ({ get: { responses: { 200: { description: "OK", schema: ref(name) } } } });
const text = { type: "string" };
const own = { swagger: "2.0", paths: { "/apis/": get("Meta") }, definitions: { Meta: { type: "object", properties: { a: text } } } };

function merged(document: SwaggerDocument) {
  return mergeV2(own, [{ group: "g", version: "v1", document }]);
}

test("paths of the served group and version come in, with the definitions that they lead to", () => {
  const definitions = {
    List: { properties: { items: { type: "array", items: ref("Flunder") } } },
    Flunder: { properties: { meta: ref("Meta"), parent: ref("Flunder") } },
    Meta: own.definitions.Meta,
    Other: {},
  };
  const paths = {
    "/apis/g/v1/flunders": get("List"),
    "/apis/g/v2/x": get("Other"),
    "/api/v1/pods": get("Other"),
    "/version/": get("Other"),
  };
  const result = merged({ paths, definitions });
  assert.deepEqual(Object.keys(result.paths ?? {}), ["/apis/", "/apis/g/v1/flunders"]);
  assert.deepEqual(Object.keys(result.definitions ?? {}).sort(), ["Flunder", "List", "Meta"]);
  assert.equal(result["swagger"], "2.0");
});

test("a definition whose name is taken by another one gets another name, everywhere", () => {
  const definitions = { Flunder: { properties: { meta: ref("Meta") } }, Meta: { type: "object", properties: { b: text } } };
  const result = merged({ paths: { "/apis/g/v1/flunders": get("Meta"), "/apis/g/v1/f": get("Flunder") }, definitions });
  assert.deepEqual(result.paths?.["/apis/g/v1/flunders"], get("Meta_v2"));
  assert.deepEqual(result.definitions, {
    Meta: own.definitions.Meta,
    Meta_v2: definitions.Meta,
    Flunder: { properties: { meta: ref("Meta_v2") } },
  });
});

test("a document that is none, or speaks of what is not its own, changes nothing", () => {
  assert.deepEqual(merged({ paths: 5, definitions: [] } as never), own);
  assert.deepEqual(mergeV2(own, [{ group: "g", version: "v1", document: null as never }]), own);
  const taken = mergeV2({ ...own, paths: { "/apis/g/v1/a": get("Meta") } }, [
    { group: "g", version: "v1", document: { paths: { "/apis/g/v1/a": {} } } },
  ]);
  assert.deepEqual(taken.paths, { "/apis/g/v1/a": get("Meta") });
});

test("whatever another server says can be encoded", () => {
  const paths = { "/apis/g/v1/a": { get: { parameters: [null, 5], responses: null, tags: { x: null } }, parameters: "p" } };
  assert.ok(encodeDocumentV2(merged({ paths, definitions: { A: null } })).byteLength > 0);
});
