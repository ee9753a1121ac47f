import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { connect } from "node:http2";
import { Agent, get } from "node:https";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { MAX_BODY_BYTES } from "./body.ts";
import { startTestFront, storedObject } from "./fake-server.ts";

const configMap = (name: string, data: Record<string, string> = {}) => ({
  kind: "ConfigMap",
  apiVersion: "v1",
  metadata: { name, namespace: "default", resourceVersion: "5", creationTimestamp: "2025-12-31T23:59:00Z" },
  data,
});
const collection = "/api/v1/namespaces/default/configmaps";
const jsonBody = (value: unknown) => ({ headers: { "content-type": "application/json" }, body: JSON.stringify(value) });

test("an object that is created is answered with 201 and its bytes, and got again with its bytes", async () => {
  await using server = await startTestFront();
  const object = configMap("a", { key: "ä" });
  const created = await server.call({ method: "POST", path: collection, ...jsonBody(object) });
  assert.equal(created.code, 201);
  assert.deepEqual(created.json(), object);
  const got = await server.call({ path: `${collection}/a` });
  assert.equal(got.code, 200);
  assert.deepEqual(got.json(), object);
  assert.equal(got.headers["cache-control"], "no-cache, private");
  assert.match(String(got.headers["audit-id"]), /^[0-9a-f-]{36}$/);
});

test("a kept connection may wait 90 seconds for its next request", async () => {
  await using server = await startTestFront();
  const answer = await server.call({ path: collection, headers: { connection: "keep-alive" } });
  assert.equal(answer.headers["keep-alive"], "timeout=90");
});

test("the user is the client certificate's, the manager is the user agent's first word", async () => {
  await using server = await startTestFront();
  await server.call({ path: collection, headers: { "user-agent": "kubectl/v1.35 (linux)" } });
  const [scope] = server.handler.scopes;
  assert.equal(scope?.user.name, "alice");
  assert.deepEqual(scope?.user.groups, ["admins", "dev", "system:authenticated"]);
  assert.equal(scope?.fieldManager, "kubectl");
});

test("a list of items of all sizes, longer than what is shared, holds each as it is", async () => {
  await using server = await startTestFront();
  const lengths = [1, 300_000, 2, 100_000, 262_144, 262_000, ...Array<number>(100).fill(200_000), 3];
  for (const [index, length] of lengths.entries()) {
    const object = { kind: "ConfigMap", apiVersion: "v1", metadata: { name: `cm-${index}` }, data: { text: "x".repeat(length) } };
    server.handler.objects.set(`configmaps/default/cm-${index}`, storedObject(object));
  }
  const answer = await server.call({ path: "/api/v1/namespaces/default/configmaps" });
  const { items } = answer.json() as { items: { data: { text: string } }[] };
  assert.deepEqual(
    items.map(({ data }) => data.text.length),
    lengths,
  );
  assert.equal(Number(answer.headers["content-length"]), answer.body.length);
});

test("a list is a head and the items' bytes, compressed when it is large", async () => {
  await using server = await startTestFront();
  for (let i = 0; i < 300; i++) {
    server.handler.objects.set(`configmaps/default/cm-${i}`, storedObject(configMap(`cm-${i}`, { text: "x".repeat(2000) })));
  }
  const plain = await server.call({ path: collection });
  const list = plain.json() as { kind: string; metadata: { resourceVersion: string }; items: { metadata: { name: string } }[] };
  assert.equal(list.kind, "ConfigMapList");
  assert.equal(list.metadata.resourceVersion, "7");
  assert.equal(list.items.length, 300);
  assert.equal(list.items[299]?.metadata.name, "cm-299");
  const packed = await server.call({ path: collection, headers: { "accept-encoding": "gzip" } });
  assert.equal(packed.headers["content-encoding"], "gzip");
  assert.deepEqual(gunzipSync(packed.body), plain.body);
});

test("a list that is too long to be kept for others is compressed as it goes", async () => {
  await using server = await startTestFront();
  for (let i = 0; i < 20; i++) {
    server.handler.objects.set(`configmaps/default/cm-${i}`, storedObject(configMap(`cm-${i}`, { text: "x".repeat(2 ** 20) })));
  }
  const packed = await server.call({ path: collection, headers: { "accept-encoding": "gzip" } });
  assert.equal(packed.headers["content-length"], undefined);
  assert.equal(JSON.parse(gunzipSync(packed.body).toString()).items.length, 20);
});

test("the connection of a watch that has ended takes the next request", async () => {
  await using server = await startTestFront();
  server.handler.events = [[{ type: "ADDED", stored: storedObject(configMap("a")) }]];
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ask = async (path: string) => {
    const request = get({ host: "127.0.0.1", port: server.port, path, agent, ca: server.ca.cert, ...server.admin });
    const [response] = (await once(request, "response")) as [IncomingMessage];
    const { socket } = response;
    return { socket, text: (await response.toArray()).join("") };
  };
  const watch = await ask(`${collection}?watch=true`);
  const list = await ask(collection);
  assert.deepEqual(JSON.parse(watch.text), { type: "ADDED", object: configMap("a") });
  assert.equal(JSON.parse(list.text).kind, "ConfigMapList");
  assert.equal(list.socket, watch.socket);
  agent.destroy();
});

test("a watch is one JSON frame a line, bookmarks and errors included", async () => {
  await using server = await startTestFront();
  const stored = storedObject(configMap("a"));
  const status = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", reason: "Expired", code: 410 };
  server.handler.events = [
    [
      { type: "ADDED", stored },
      { type: "DELETED", stored },
    ],
    [
      { type: "BOOKMARK", resourceVersion: "9", isInitialEventsEnd: true },
      { type: "ERROR", status },
    ],
  ];
  const answer = await server.call({ path: `${collection}?watch=true` });
  const lines = answer.body.toString().trimEnd().split("\n");
  assert.deepEqual(
    lines.map((line) => JSON.parse(line)),
    [
      { type: "ADDED", object: configMap("a") },
      { type: "DELETED", object: configMap("a") },
      {
        type: "BOOKMARK",
        object: {
          kind: "ConfigMap",
          apiVersion: "v1",
          metadata: { resourceVersion: "9", annotations: { "k8s.io/initial-events-end": "true" } },
        },
      },
      { type: "ERROR", object: status },
    ],
  );
});

test("kubectl's Accept header gets a Table with ages, metadata clients get PartialObjectMetadata", async () => {
  await using server = await startTestFront();
  server.handler.objects.set("secrets/default/a", storedObject({ ...configMap("a"), kind: "Secret" }));
  const path = "/api/v1/namespaces/default/secrets";
  const accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
  const table = (await server.call({ path, headers: { accept } })).json() as {
    kind: string;
    columnDefinitions: { name: string }[];
    rows: { cells: unknown[]; object: { kind: string } }[];
  };
  assert.equal(table.kind, "Table");
  const age = table.columnDefinitions.findIndex((column) => column.name === "Age");
  assert.equal(table.columnDefinitions[0]?.name, "Name");
  assert.equal(table.rows[0]?.cells[0], "a");
  assert.equal(table.rows[0]?.cells[age], "60s");
  assert.equal(table.rows[0]?.object.kind, "PartialObjectMetadata");
  const metadata = { accept: "image/png,application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io" };
  assert.equal((await server.call({ path: `${path}/a`, headers: metadata })).json()["kind"], "PartialObjectMetadata");
});

test("refusals are Status objects with upstream's codes and texts", async () => {
  await using server = await startTestFront();
  const cases: [string, Parameters<typeof server.call>[0], number, string][] = [
    ["no certificate", { path: collection, as: undefined }, 401, "Unauthorized"],
    [
      "no permission",
      { path: collection, as: server.nobody },
      403,
      'configmaps is forbidden: User "bob" cannot list resource "configmaps"',
    ],
    ["no permission on a path", { path: "/metrics", as: server.nobody }, 403, 'forbidden: User "bob" cannot get path "/metrics"'],
    ["unknown object", { path: `${collection}/no` }, 404, 'configmaps "no" not found'],
    ["unknown resource", { path: "/api/v1/nonsense" }, 404, "the server could not find the requested resource"],
    ["unknown path", { path: "/nonsense" }, 404, "the server could not find the requested resource"],
    ["wrong method", { method: "POST", path: `${collection}/a`, body: "{}" }, 405, "the server does not allow this method"],
    ["unknown Accept", { path: collection, headers: { accept: "image/png" } }, 406, "only the following media types are accepted"],
    ["large body", { method: "POST", path: collection, body: Buffer.alloc(MAX_BODY_BYTES + 1) }, 413, "Request entity too large"],
    [
      "unknown body",
      { method: "POST", path: collection, headers: { "content-type": "text/plain" }, body: "x" },
      415,
      "the body of the request",
    ],
    ["broken body", { method: "POST", path: collection, body: "{" }, 400, "json parse error"],
    ["unknown dry run", { method: "POST", path: `${collection}?dryRun=Some`, body: "{}" }, 422, "dryRun: Unsupported value"],
  ];
  for (const [name, call, code, text] of cases) {
    const answer = await server.call(call);
    const status = answer.json();
    assert.equal(answer.code, code, name);
    assert.equal(status["kind"], "Status", name);
    assert.equal(status["code"], code, name);
    assert.ok(String(status["message"]).includes(text), `${name}: ${status["message"]}`);
  }
});

test("apply patches come as YAML and need a field manager", async () => {
  await using server = await startTestFront();
  const patch = {
    method: "PATCH",
    headers: { "content-type": "application/apply-patch+yaml" },
    body: "metadata: {name: a}\nkind: ConfigMap",
  };
  const refused = await server.call({ ...patch, path: `${collection}/a` });
  assert.equal(
    refused.json()["message"],
    'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
  );
  const applied = await server.call({ ...patch, path: `${collection}/a?fieldManager=me&force=true` });
  assert.equal(applied.code, 201);
  assert.deepEqual(applied.json(), { metadata: { name: "a" }, kind: "ConfigMap" });
});

test("impersonation needs permission and changes the user", async () => {
  await using server = await startTestFront();
  const headers = { "impersonate-user": "system:serviceaccount:ns:sa" };
  const refused = await server.call({ path: collection, headers, as: server.nobody });
  assert.match(String(refused.json()["message"]), /cannot impersonate resource "serviceaccounts"/);
  const other = await server.call({ path: collection, headers });
  assert.match(String(other.json()["message"]), /User "system:serviceaccount:ns:sa" cannot list/);
});

test("a front proxy is believed who the user is; others' headers mean nothing", async () => {
  await using server = await startTestFront();
  const headers = { "x-remote-user": "carol", "x-remote-group": "admins" };
  assert.equal((await server.call({ path: collection, headers, as: server.proxy })).code, 200);
  assert.equal(server.handler.scopes[0]?.user.name, "carol");
  assert.equal((await server.call({ path: collection, headers, as: server.nobody })).code, 403);
  assert.equal((await server.call({ path: collection, headers, as: undefined })).code, 401);
  assert.equal((await server.call({ path: collection, as: server.proxy })).code, 401);
  const stranger = await server.proxyCa.issue("CN=alice, O=admins");
  assert.equal((await server.call({ path: collection, headers, as: stranger })).code, 401);
});

test("nobody in particular may ask for the health and for nothing else", async () => {
  const ok = { serve: ({ response }: { response: { end(text: string): unknown } }) => void response.end("ok") };
  await using server = await startTestFront(new Map([["healthz", ok]]));
  assert.equal((await server.call({ path: "/healthz", as: undefined })).body.toString(), "ok");
  assert.equal((await server.call({ path: "/version", as: undefined })).code, 401);
});

test("HTTP/2 clients are answered on the same port", async () => {
  await using server = await startTestFront();
  server.handler.objects.set("configmaps/default/a", storedObject(configMap("a")));
  const session = connect(`https://127.0.0.1:${server.port}`, { ca: server.ca.cert, ...server.admin });
  const stream = session.request({ ":path": `${collection}/a` });
  let body = "";
  for await (const chunk of stream.setEncoding("utf8")) body += chunk;
  session.close();
  assert.deepEqual(JSON.parse(body), configMap("a"));
});
