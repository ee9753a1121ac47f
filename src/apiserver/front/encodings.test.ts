import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { WebSocket } from "ws";
import { parse } from "yaml";
import { typeFacts } from "../../api/index.ts";
import { decodeProtobuf, encodeEnvelope, encodeMessage } from "../../machinery/index.ts";
import { decodeCbor, encodeCbor } from "./cbor.ts";
import { startTestFront, storedObject, type TestAnswer } from "./fake-server.ts";

const configMap = (name: string, data: Record<string, string> = { key: "ä" }) => ({
  kind: "ConfigMap",
  apiVersion: "v1",
  metadata: { name, namespace: "default", resourceVersion: "5", creationTimestamp: "2025-12-31T23:59:00Z" },
  data,
});
const collection = "/api/v1/namespaces/default/configmaps";
const PROTOBUF = "application/vnd.kubernetes.protobuf";
const protobuf = { accept: PROTOBUF };

function decoded(body: Uint8Array, type = "core.v1.ConfigMap"): Record<string, unknown> {
  return decodeProtobuf(body, () => typeFacts(type));
}

async function startWith(...names: string[]) {
  const server = await startTestFront();
  for (const name of names) server.handler.objects.set(`configmaps/default/${name}`, storedObject(configMap(name)));
  return server;
}

test("an object in protobuf goes in and comes out as it is", async () => {
  await using server = await startTestFront();
  const { kind, apiVersion, ...object } = configMap("a");
  const body = encodeEnvelope(apiVersion, kind, encodeMessage(object, typeFacts("core.v1.ConfigMap")));
  const created = await server.call({ method: "POST", path: collection, headers: { ...protobuf, "content-type": PROTOBUF }, body });
  assert.equal(created.code, 201);
  assert.equal(created.headers["content-type"], PROTOBUF);
  assert.deepEqual(decoded(created.body), configMap("a"));
  assert.deepEqual((await server.call({ path: `${collection}/a` })).json(), configMap("a"));
});

test("a list in protobuf has all items and its metadata, and is compressed when large", async () => {
  await using server = await startWith("a", "b");
  const answer = await server.call({ path: collection, headers: protobuf });
  const { kind: _, apiVersion: __, ...a } = configMap("a");
  const list = decoded(answer.body, "core.v1.ConfigMapList");
  assert.equal(list["kind"], "ConfigMapList");
  assert.deepEqual(list["metadata"], { resourceVersion: "7" });
  assert.deepEqual((list["items"] as object[])[0], a);
  for (let i = 0; i < 300; i++) {
    server.handler.objects.set(`configmaps/default/cm-${i}`, storedObject(configMap(`cm-${i}`, { text: "x".repeat(2000) })));
  }
  const plain = await server.call({ path: collection, headers: protobuf });
  const packed = await server.call({ path: collection, headers: { ...protobuf, "accept-encoding": "gzip" } });
  assert.equal(packed.headers["content-encoding"], "gzip");
  assert.deepEqual(gunzipSync(packed.body), plain.body);
});

test("a status, a refusal too, comes in the format that was asked for", async () => {
  await using server = await startWith("a");
  const missing = await server.call({ path: `${collection}/no`, headers: protobuf });
  assert.equal(missing.code, 404);
  assert.equal(decoded(missing.body, "meta.v1.Status")["reason"], "NotFound");
  const deleted = await server.call({ method: "DELETE", path: `${collection}/a`, headers: protobuf });
  assert.equal(decoded(deleted.body, "meta.v1.Status")["status"], "Success");
});

/** What is behind each length in front of a frame. */
function framesOf(body: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at < body.byteLength; at += 4 + body.readUInt32BE(at))
    frames.push(body.subarray(at + 4, at + 4 + body.readUInt32BE(at)));
  return frames;
}

/** A WatchEvent's type and the whole body of its object. */
function watchEvent(frame: Buffer, type: string) {
  const magicAt = frame.indexOf("k8s\0");
  return { type: frame.subarray(2, 2 + (frame[1] ?? 0)).toString(), object: decoded(frame.subarray(magicAt), type) };
}

test("a watch in protobuf is one frame an event, its length in front of it", async () => {
  await using server = await startTestFront();
  server.handler.events = [
    [
      { type: "ADDED", stored: storedObject(configMap("a")) },
      { type: "BOOKMARK", resourceVersion: "9", isInitialEventsEnd: false },
    ],
  ];
  const answer = await server.call({ path: `${collection}?watch=true`, headers: protobuf });
  assert.equal(answer.headers["content-type"], `${PROTOBUF};stream=watch`);
  const [added, bookmark] = framesOf(answer.body).map((frame) => watchEvent(frame, "core.v1.ConfigMap"));
  assert.deepEqual(added, { type: "ADDED", object: configMap("a") });
  assert.deepEqual(bookmark?.object["metadata"], { resourceVersion: "9" });
});

test("objects go in and come out in CBOR, with bytes where there may be text", async () => {
  await using server = await startWith("a");
  const got = await server.call({ path: `${collection}/a`, headers: { accept: "application/cbor" } });
  assert.deepEqual([...got.body.subarray(0, 3)], [0xd9, 0xd9, 0xf7]);
  assert.deepEqual(decodeCbor(got.body), configMap("a"));
  const headers = { "content-type": "application/cbor" };
  const created = await server.call({ method: "POST", path: collection, headers, body: encodeCbor(configMap("b")) });
  assert.deepEqual(created.json(), configMap("b"));
  assert.deepEqual(decodeCbor(Buffer.from([0xa1, 0x41, 0x61, 0xd6, 0x41, 0x78])), { a: "eA==" });
  const broken = await server.call({ method: "POST", path: collection, headers, body: Buffer.from([0xa2, 0x61, 0x61, 1, 0x61, 0x61, 2]) });
  assert.equal(broken.code, 400);
});

test("lists come in YAML and CBOR, indented for people", async () => {
  await using server = await startWith("a");
  const ask = (accept: string) => server.call({ path: collection, headers: { accept } });
  const plain = (await server.call({ path: collection })).json();
  assert.deepEqual(parse((await ask("application/yaml")).body.toString()), plain);
  assert.deepEqual(decodeCbor((await ask("application/cbor")).body), plain);
  assert.match((await server.call({ path: `${collection}?pretty=true` })).body.toString(), /^\{\n {2}"kind"/);
});

test("quality decides, then order; what cannot be made is passed over, and 406 names what can", async () => {
  await using server = await startWith("a");
  const type = async (accept: string, query = "") => {
    const answer = await server.call({ path: `${collection}${query}`, headers: { accept } });
    return answer.code === 200 ? answer.headers["content-type"] : parse(answer.body.toString()).message;
  };
  assert.equal(await type("application/json;q=0.5, application/yaml;q=0.9"), "application/yaml");
  assert.equal(await type(`${PROTOBUF};as=Table;g=meta.k8s.io;v=v1,application/json`), "application/json");
  const accepted = "only the following media types are accepted: ";
  assert.equal(await type("image/png"), `${accepted}application/json, application/yaml, ${PROTOBUF}, application/cbor`);
  assert.equal(
    await type("application/yaml", "?watch=1"),
    `${accepted}application/json;stream=watch, ${PROTOBUF};stream=watch, application/cbor;stream=watch`,
  );
  assert.match(
    String(await type("application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1")),
    /you requested PartialObjectMetadata, but the requested object is a list \(\*core\.ConfigMapList\)/,
  );
});

test("what is only asked cannot be had as a table", async () => {
  await using server = await startTestFront();
  const path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
  const accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
  assert.equal((await server.call({ method: "POST", path, headers: { accept }, body: "{}" })).code, 406);
});

test("tables and metadata come in the beta version, too, and metadata in protobuf", async () => {
  await using server = await startWith("a");
  const ask = (accept: string, query = ""): Promise<TestAnswer> => server.call({ path: `${collection}${query}`, headers: { accept } });
  const table = (await ask("application/json;as=Table;g=meta.k8s.io;v=v1beta1", "?includeObject=None")).json();
  assert.equal(table["apiVersion"], "meta.k8s.io/v1beta1");
  assert.deepEqual(Object.keys((table["rows"] as object[])[0] ?? {}), ["cells"]);
  const whole = (await ask("application/json;as=Table;g=meta.k8s.io;v=v1", "?includeObject=Object")).json();
  assert.deepEqual((whole["rows"] as { object: unknown }[])[0]?.object, configMap("a"));
  const partial = await ask(`${PROTOBUF};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1`);
  assert.ok(partial.body.includes("meta.k8s.io/v1") && partial.body.includes("PartialObjectMetadataList"));
  assert.ok(partial.body.includes("default") && !partial.body.includes("key"));
});

test("a watch comes over a WebSocket: a text message an event", async () => {
  await using server = await startTestFront();
  server.handler.events = [[{ type: "ADDED", stored: storedObject(configMap("a")) }]];
  const url = `wss://127.0.0.1:${server.port}${collection}?watch=true`;
  const socket = new WebSocket(url, { ca: server.ca.cert, ...server.admin });
  const [data, isBinary] = await once(socket, "message");
  assert.equal(isBinary, false);
  assert.deepEqual(JSON.parse(String(data)), { type: "ADDED", object: configMap("a") });
  const [code] = await once(socket, "close");
  assert.equal(code, 1000);
});

test("a refused WebSocket gets its Status and no connection", async () => {
  await using server = await startTestFront();
  const socket = new WebSocket(`wss://127.0.0.1:${server.port}${collection}?watch=true`, { ca: server.ca.cert, ...server.nobody });
  const [, response] = await once(socket, "unexpected-response");
  assert.equal(response.statusCode, 403);
});

test("keys of YAML that are mappings or lists are a bad request, soon", async () => {
  await using server = await startTestFront();
  for (const body of ["? [x]\n: y\n", `${"? ".repeat(500)}a: b\n`]) {
    const answer = await server.call({ method: "POST", path: collection, headers: { "content-type": "application/yaml" }, body });
    assert.equal(answer.code, 400);
    assert.match(String(answer.json()["message"]), /^error converting YAML to JSON: yaml: invalid map key/);
  }
});

test("nothing in many tags of CBOR is a bad request", async () => {
  await using server = await startTestFront();
  const body = Buffer.from(`${"d9d9f7".repeat(400)}f6`, "hex");
  const answer = await server.call({ method: "POST", path: collection, headers: { "content-type": "application/cbor" }, body });
  assert.equal(answer.code, 400);
});

test("who may not write is told so before the body is looked at", async () => {
  await using server = await startTestFront();
  for (const [method, path] of [
    ["POST", collection],
    ["PUT", `${collection}/a`],
    ["PATCH", `${collection}/a`],
    ["DELETE", `${collection}/a`],
    ["DELETE", collection],
  ] as const) {
    const body = "{ no JSON";
    const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
    const headers = { "content-type": type, "content-length": `${body.length}` };
    assert.equal((await server.call({ method, path, headers, body, as: server.nobody })).code, 403, `${method} ${path}`);
  }
});
