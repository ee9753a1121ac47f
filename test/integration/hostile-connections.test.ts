// Connections that nobody means well with: bytes that mean different things to different readers, upgrades that are none, clients
// that do not read. Each gets what upstream gives, and nobody else notices.
import assert from "node:assert/strict";
import { connect as connectHttp2 } from "node:http2";
import { describe, it } from "node:test";
import { connect } from "node:tls";
import { admin, ca, startApiServer, type TestServer } from "./api-server.fixture.ts";

const collection = "/api/v1/namespaces/default/configmaps";
const bob = await ca.issue("CN=bob");

/** Sends bytes as they are and reads until the server ends the connection. */
function raw(server: TestServer, bytes: string | Buffer, as: object = admin): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port: server.port, ca: ca.cert, ...as });
    let text = "";
    socket.setEncoding("latin1");
    socket.on("data", (data) => {
      text += data;
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(text));
    socket.write(bytes);
  });
}

const codesIn = (text: string) => [...text.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, code]) => Number(code));
const post = (body: string, type = "application/json", target = `POST ${collection}`) =>
  `${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

async function isWell(server: TestServer): Promise<void> {
  assert.equal((await server.call("/readyz")).code, 200);
}

describe("a hostile connection", () => {
  it("cannot hide one request in another", async () => {
    await using server = await startApiServer();
    const hidden = "GET /api/v1/secrets HTTP/1.1\r\nHost: x\r\n\r\n";
    const start = `POST ${collection} HTTP/1.1\r\nHost: x\r\n`;
    for (const head of [
      "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
      `Content-Length: 0\r\nContent-Length: ${hidden.length}\r\n`,
      "Transfer-Encoding: xchunked\r\n",
      "Transfer-Encoding : chunked\r\n",
      "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
      "Content-Length: +0\r\n",
      "X: a\r\n X-Remote-User: root\r\n",
      "X: a\nX-Remote-User: root\r\n",
    ]) {
      assert.deepEqual(codesIn(await raw(server, `${start}${head}\r\n${hidden}`)), [400], head);
    }
    assert.deepEqual(codesIn(await raw(server, "GET http://elsewhere/version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")), [400]);
    await isWell(server);
  });

  it("that asks for an upgrade and gets none ends, whatever follows", async () => {
    await using server = await startApiServer();
    const hidden = "GET /api/v1/secrets HTTP/1.1\r\nHost: x\r\n\r\n";
    const upgrade = (target: string, more = "") =>
      `${target} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${more}\r\n${hidden}`;
    for (const target of [
      "GET /version",
      "GET /api/v1/pods",
      "GET /api/v1/pods?watch=1&timeoutSeconds=0",
      "GET /nowhere",
      "POST /api/v1/namespaces/default/pods/none/exec?command=sh",
      "GET /api/v1/namespaces/default/pods/none/portforward?ports=80",
      "GET /api/v1/namespaces/default/services/none/proxy/",
      "GET /api/v1/nodes/none/proxy/",
    ]) {
      if (!target.includes("watch")) assert.equal(codesIn(await raw(server, upgrade(target))).length, 1, target);
      assert.deepEqual(codesIn(await raw(server, upgrade(target), bob)).slice(1), [], target);
    }
    await isWell(server);
  });

  it("gets a warning about its own words, not a header of its own", async () => {
    await using server = await startApiServer();
    const body = '{"metadata":{"name":"w"},"a\\r\\nX-Evil: 1":1,"\\u4e2d\\"\\u0000":2}';
    const text = await raw(server, post(body));
    assert.deepEqual(codesIn(text), [201]);
    assert.doesNotMatch(text, /^X-Evil/m);
    assert.match(Buffer.from(text, "latin1").toString(), /^Warning: 299 - "unknown field \\"a {2}X-Evil: 1\\""\r\n/m);
    assert.match(Buffer.from(text, "latin1").toString(), /\u4e2d/);
    const escaped = `GET /version HTTP/1.1\r\nHost: x\r\nConnection: close\r\nImpersonate-User: a\r\nImpersonate-Extra-%zz: b\r\n\r\n`;
    assert.deepEqual(codesIn(await raw(server, escaped)), [200]);
  });

  it("gains nothing by objects that are as wide as they can be", async () => {
    await using server = await startApiServer();
    const members = (count: number, member: (index: number) => string) => Array.from({ length: count }, (_, index) => member(index)).join();
    const labels = `{"metadata":{"name":"wide","labels":{${members(100_000, (i) => `"l${i}":"x"`)}}}}`;
    assert.deepEqual(codesIn(await raw(server, post(labels))), [201]);
    const unknown = await raw(server, post(`{"metadata":{"name":"unknown"},${members(100_000, (i) => `"u${i}":1`)}}`));
    assert.deepEqual(codesIn(unknown), [201]);
    assert.ok(unknown.indexOf("\r\n\r\n") < 8 * 1024);
    const lists = `{"metadata":{"name":"lists"},"data":{"a":[${"[],".repeat(900_000)}[]]}}`;
    assert.deepEqual(codesIn(await raw(server, post(lists))), [400]);
    await isWell(server);
  });

  it("cannot blow an object up by a patch", async () => {
    await using server = await startApiServer();
    await server.call(collection, { method: "POST", body: { metadata: { name: "a" }, data: { k: "v" } } });
    const patch = (operations: object[]) =>
      raw(server, post(JSON.stringify(operations), "application/json-patch+json", `PATCH ${collection}/a`));
    const doubling = Array.from({ length: 40 }, (_, i) => ({ op: "copy", from: "/data", path: `/data/b${i}` }));
    const copied = await patch(doubling);
    assert.deepEqual(codesIn(copied), [422]);
    assert.match(copied, /the accumulated size increase of copy is \d+, exceeding the limit 3145728/);
    const many = await patch(Array.from({ length: 10_001 }, () => ({ op: "test", path: "/data/k", value: "v" })));
    assert.deepEqual(codesIn(many), [413]);
    assert.match(many, /The allowed maximum operations in a JSON patch is 10000, got 10001/);
    await isWell(server);
  });

  it("that watches and does not read keeps nothing waiting, and is told that it was too slow", async () => {
    await using server = await startApiServer({ core: { deepFreezes: true, watchWindow: { capacity: 100 } } });
    const socket = connect({ host: "127.0.0.1", port: server.port, ca: ca.cert, ...admin });
    let text = "";
    socket.setEncoding("latin1");
    socket.write(`GET ${collection}?watch=1 HTTP/1.1\r\nHost: x\r\n\r\n`);
    await new Promise<void>((resolve) => socket.once("data", () => resolve()));
    socket.pause();
    const large = "x".repeat(200_000);
    for (let i = 0; i < 200; i++) await server.call(collection, { method: "POST", body: { metadata: { name: `c${i}` }, data: { large } } });
    socket.on("data", (data) => {
      text = (text + data).slice(-2_000);
    });
    socket.resume();
    while (!text.includes("too old resource version")) await new Promise((resolve) => setTimeout(resolve, 10));
    socket.destroy();
    await isWell(server);
  });

  it("leaves no watches behind when its streams are reset", async () => {
    await using server = await startApiServer();
    const session = connectHttp2(`https://127.0.0.1:${server.port}`, { ca: ca.cert, ...admin });
    session.on("error", () => {});
    for (let round = 0; round < 5; round++) {
      const streams = Array.from({ length: 80 }, () => session.request({ ":path": `${collection}?watch=1` }));
      await Promise.all(
        streams.map(async (stream) => {
          stream.on("error", () => {});
          await new Promise<void>((resolve) => stream.once("response", () => resolve()));
          stream.close(8);
        }),
      );
    }
    const watching = await server.eventually("/metrics", ({ text }) => /^apiserver_longrunning_requests\{.*\} 0$/m.test(text));
    assert.match(watching.text, /^apiserver_longrunning_requests\{[^}]*resource="configmaps"[^}]*\} 0$/m);
    session.destroy();
  });
});
