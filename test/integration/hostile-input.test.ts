// Requests that nobody means well with: the server answers as upstream does, or ends the connection, and goes on.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { describe, it } from "node:test";
import { connect } from "node:tls";
import { admin, ca, startApiServer, type TestServer } from "./api-server.fixture.ts";

const collection = "/api/v1/namespaces/default/configmaps";

interface RawAnswer {
  readonly code: number;
  readonly body: string;
}

/** Sends bytes as they are over one connection and reads until it ends or an answer has come. */
function raw(server: TestServer, bytes: string | Buffer): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port: server.port, ca: ca.cert, ...admin });
    let text = "";
    socket.setEncoding("utf8");
    socket.on("data", (data) => {
      text += data;
    });
    socket.on("error", reject);
    socket.on("close", () => {
      const [head = "", ...body] = text.split("\r\n\r\n");
      resolve({ code: Number(head.split(" ")[1] ?? 0), body: body.join("\r\n\r\n") });
    });
    socket.write(bytes);
  });
}

function post(body: string | Buffer, type = "application/json", query = ""): Buffer {
  const bytes = Buffer.from(body);
  const head = `POST ${collection}${query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: ${type}\r\nContent-Length: ${bytes.byteLength}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), bytes]);
}

const named = (name: string, rest = "") => `{"metadata":{"name":"${name}"}${rest}}`;

async function isWell(server: TestServer): Promise<void> {
  assert.equal((await server.call("/readyz")).code, 200);
}

describe("hostile input", () => {
  it("is refused when it is larger than three megabytes, however it comes", async () => {
    await using server = await startApiServer();
    const large = Buffer.alloc(3 * 1024 * 1024 + 1, 0x20);
    assert.equal((await raw(server, post(large))).code, 413);
    const chunked = `POST ${collection} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const chunks = Buffer.concat([Buffer.from(`${chunked}${large.byteLength.toString(16)}\r\n`), large, Buffer.from("\r\n0\r\n\r\n")]);
    assert.equal((await raw(server, chunks)).code, 413);
    await isWell(server);
  });

  it("is no object when it is nested without end, in JSON, YAML and CBOR", async () => {
    await using server = await startApiServer();
    const depth = 200_000;
    const json = `{"metadata":{"name":"deep"},"data":${'{"a":'.repeat(depth)}1${"}".repeat(depth)}}`;
    const yaml = `metadata: {name: deep}\ndata: ${"{a: ".repeat(depth)}1${"}".repeat(depth)}`;
    const cbor = Buffer.concat([Buffer.alloc(depth, 0x81), Buffer.from([1])]);
    for (const [body, type] of [
      [json, "application/json"],
      [yaml, "application/yaml"],
      [cbor, "application/cbor"],
    ] as const) {
      const { code, body: text } = await raw(server, post(body, type));
      assert.equal(code, 400, `${type}: ${text}`);
    }
    await isWell(server);
  });

  it("names a field twice only with a warning, and not at all when validation is strict", async () => {
    await using server = await startApiServer();
    const twice = '{"metadata":{"name":"twice"},"data":{"a":"1","a":"2"}}';
    const strict = await raw(server, post(twice, "application/json", "?fieldValidation=Strict"));
    assert.equal(strict.code, 400);
    assert.match(strict.body, /duplicate field \\"data.a\\"/);
    assert.equal((await raw(server, post(twice))).code, 201);
  });

  it("has no bytes that are no text, and no numbers that are none", async () => {
    await using server = await startApiServer();
    const broken = Buffer.concat([Buffer.from('{"metadata":{"name":"utf"},"data":{"a":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}}')]);
    const { code, body } = await raw(server, post(broken));
    assert.equal(code, 201, body);
    assert.equal(JSON.parse(body).data.a, "\ufffd\ufffd");
    for (const number of ["1e999", "99999999999999999999", "-1.5"]) {
      const pod = `{"metadata":{"name":"n"},"spec":{"containers":[{"name":"c","image":"i"}],"terminationGracePeriodSeconds":${number}}}`;
      const bytes = post(pod).toString("latin1").replace("configmaps", "pods");
      assert.equal((await raw(server, bytes)).code, 400, number);
    }
  });

  it("does not grow by aliases", async () => {
    await using server = await startApiServer();
    const levels = Array.from({ length: 12 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(10).fill(`*a${i}`).join(", ")}]`);
    const bomb = `a0: &a0 lol\n${levels.join("\n")}\nmetadata: {name: bomb}`;
    assert.equal((await raw(server, post(bomb, "application/yaml"))).code, 400);
    await isWell(server);
  });

  it("does not reach prototypes", async () => {
    await using server = await startApiServer();
    const body = '{"metadata":{"name":"proto","labels":{"__proto__":"x"}},"__proto__":{"polluted":true},"data":{"constructor":"y"}}';
    const { code, body: text } = await raw(server, post(body));
    assert.ok(code === 201 || code === 422, text);
    assert.equal(({} as { polluted?: boolean }).polluted, undefined);
    assert.equal((await raw(server, `GET /api/v1/__proto__ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)).code, 404);
    assert.equal((await raw(server, `GET /api/v1/constructor HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)).code, 404);
  });

  it("finds no way around the path's parts", async () => {
    await using server = await startApiServer();
    await server.call("/api/v1/namespaces/kube-system/secrets", { method: "POST", body: { metadata: { name: "s" } } });
    for (const path of [
      "/api/v1/namespaces/default/secrets/..%2F..%2Fkube-system%2Fs",
      "/api/v1/namespaces/default%2F..%2Fkube-system/secrets/s",
      "/api/v1/namespaces/default/../kube-system/secrets/s",
      "/api/v1/namespaces/default/secrets/%00",
      "/api/%",
    ]) {
      const { code } = await raw(server, `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      assert.ok(code >= 400 && code < 500, `${path}: ${code}`);
    }
    await isWell(server);
  });

  it("gets nothing by opening and resetting streams as fast as it can", async () => {
    await using server = await startApiServer();
    const session = connectHttp2(`https://127.0.0.1:${server.port}`, { ca: ca.cert, ...admin });
    session.on("error", () => {});
    for (let i = 0; i < 2000 && !session.destroyed; i++) {
      const stream = session.request({ ":path": "/api/v1/pods" });
      stream.on("error", () => {});
      stream.close(8);
    }
    session.destroy();
    await isWell(server);
  });

  it("holds nobody up by a body that never comes", async () => {
    await using server = await startApiServer();
    const sockets = Array.from({ length: 20 }, () => connect({ host: "127.0.0.1", port: server.port, ca: ca.cert, ...admin }));
    await Promise.all(sockets.map((socket) => once(socket, "secureConnect")));
    for (const socket of sockets) {
      socket.on("error", () => {});
      socket.write(`POST ${collection} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`);
    }
    await isWell(server);
    assert.equal((await server.call(collection, { method: "POST", body: JSON.parse(named("fine")) })).code, 201);
    for (const socket of sockets) socket.destroy();
  });
});
