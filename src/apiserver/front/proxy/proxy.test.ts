import assert from "node:assert/strict";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { connect } from "node:tls";
import type { Service } from "../../../api/types/core/v1.ts";
import type { EndpointSlice } from "../../../api/types/discovery/v1.ts";
import type { Endpoint } from "../exchange.ts";
import { startTestFront } from "../fake-server.ts";
import { type ForwardTarget, forward } from "../forward.ts";
import { parseRequest } from "../request-info.ts";
import { parseProxyName, podAddress, proxyable, proxyPath, rewrittenUrl, serviceAddresses } from "./proxy-target.ts";

test("a proxied name may have a scheme and a port", () => {
  assert.deepEqual(parseProxyName("web", "pod"), { scheme: "http", hasScheme: false, name: "web", port: "" });
  assert.deepEqual(parseProxyName("web:8080", "pod"), { scheme: "http", hasScheme: false, name: "web", port: "8080" });
  assert.deepEqual(parseProxyName("https:web:", "pod"), { scheme: "https", hasScheme: true, name: "web", port: "" });
  for (const text of ["ftp:web:80", "a:b:c:d", ":80"]) {
    assert.throws(() => parseProxyName(text, "pod"), { message: `invalid pod request ${JSON.stringify(text)}` });
  }
});

test("the proxied path is what the client wrote, its slashes and escapes too", () => {
  const path = (url: string) => proxyPath(parseRequest("GET", url) ?? assert.fail(), url);
  const prefix = "/api/v1/namespaces/ns/pods/web:80/proxy";
  assert.deepEqual(path(prefix), { prefix, rest: "", query: "" });
  assert.deepEqual(path(`${prefix}/?a=/b`), { prefix, rest: "/", query: "?a=/b" });
  assert.deepEqual(path(`${prefix}/some/a%2Fb//c/`), { prefix, rest: "/some/a%2Fb//c/", query: "" });
  for (const trick of ["/../x", "/%2e%2e/x", "/a/./b"]) assert.throws(() => path(`${prefix}${trick}`), { message: /must not contain/ });
});

test("redirects of the target lead through the proxy again, others away", () => {
  const rewrite = (url: string) => rewrittenUrl(url, "/p", ["10.0.0.1:80", "127.0.0.1:8001"]);
  assert.equal(rewrite("/login?x=1"), "/p/login?x=1");
  assert.equal(rewrite("http://10.0.0.1:80/login"), "/p/login");
  assert.equal(rewrite("//127.0.0.1:8001/login"), "/p/login");
  assert.equal(rewrite("/p/login"), "/p/login");
  assert.equal(rewrite("/public"), "/p/public");
  for (const other of ["login", "#top", "", "mailto:a@b", "javascript:void(0)"]) assert.equal(rewrite(other), other);
  assert.equal(rewrite("https://example.com/"), "https://example.com/");
  assert.equal(rewrite("//example.com/"), "//example.com/");
});

test("only addresses of pods and nodes are proxied to", () => {
  const pod = (podIP: string) => ({
    metadata: {},
    spec: { containers: [{ name: "c", ports: [{ containerPort: 8080 }] }] },
    status: { podIP },
  });
  assert.deepEqual(podAddress(pod("10.244.1.2"), ""), { host: "10.244.1.2", port: 8080 });
  assert.deepEqual(podAddress(pod("fd00::2"), "99"), { host: "fd00::2", port: 99 });
  for (const host of ["", "127.0.0.1", "::1", "::ffff:127.0.0.1", "169.254.169.254", "0.0.0.0", "224.0.0.1", "localhost"]) {
    assert.throws(() => proxyable(host), { message: "address not allowed" }, host);
  }
  assert.throws(() => podAddress(pod("10.244.1.2"), "http"), { message: 'invalid port "http"' });
});

test("a service's port is named, numbered or the only one; its ready endpoints answer", () => {
  const service = { metadata: { name: "web" }, spec: { ports: [{ name: "http", port: 80 }] } } as Service;
  const slice = {
    metadata: {},
    addressType: "IPv4",
    ports: [{ name: "http", port: 8080 }],
    endpoints: [{ addresses: ["10.0.0.1"], conditions: { ready: false } }, { addresses: ["10.0.0.2"] }],
  } as EndpointSlice;
  for (const port of ["", "80", "http"]) assert.deepEqual(serviceAddresses(service, [slice], port), [{ host: "10.0.0.2", port: 8080 }]);
  assert.throws(() => serviceAddresses(service, [slice], "81"), { message: 'no service port 81 found for service "web"' });
  assert.throws(() => serviceAddresses(service, [], "80"), { message: 'no endpoints available for service "web"' });
});

/** A plain server on loopback, and a front whose `/to` passes requests on to it. */
async function startForwarding(target: Partial<ForwardTarget> = {}) {
  const seen: IncomingMessage[] = [];
  const backend = createServer((request, response) => {
    seen.push(request);
    request.resume();
    if (request.url === "/moved") response.writeHead(302, { location: "/there" });
    if (request.url === "/page") response.writeHead(200, { "content-type": "text/html", "content-length": 13 });
    response.end(request.url === "/page" ? '<a href="/x">' : "answered");
  });
  await new Promise<void>((resolve) => backend.listen(0, "127.0.0.1", resolve));
  const { port } = backend.address() as AddressInfo;
  const endpoint: Endpoint = {
    serve: (exchange) => forward(exchange, { protocol: "http", host: "127.0.0.1", port, path: "/", ...target }),
  };
  const server = await startTestFront(new Map([["to", endpoint]]));
  const dispose = async () => {
    await server[Symbol.asyncDispose]();
    backend.closeAllConnections();
    await new Promise((resolve) => backend.close(resolve));
  };
  return { ...server, backend, seen, [Symbol.asyncDispose]: dispose };
}

test("a request is passed on with every method, without what could pass for someone else's word", async () => {
  await using server = await startForwarding();
  const headers = {
    authorization: "Basic x",
    "x-remote-user": "root",
    "impersonate-extra-k": "v",
    connection: "x-own",
    "x-own": "1",
    "x-kept": "2",
  };
  for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"]) {
    assert.equal((await server.call({ method, path: "/to", headers })).code, 200, method);
    const request = server.seen.at(-1);
    assert.equal(request?.method, method);
    const kept = Object.keys(request?.headers ?? {}).filter((name) => /^(x-|auth|imp)/.test(name));
    assert.deepEqual(kept, ["x-kept"]);
  }
});

test("a redirect is rewritten, and a target that is not there is a 503", async () => {
  await using moved = await startForwarding({ path: "/moved", rewriteUrl: (location) => `/p${location}` });
  assert.equal((await moved.call({ path: "/to" })).headers["location"], "/p/there");
  await using gone = await startForwarding({ port: 1 });
  assert.equal((await gone.call({ path: "/to" })).code, 503);
});

test("the links of a page are rewritten, and it is as long as it is then", async () => {
  await using server = await startForwarding({ path: "/page", rewriteUrl: (url) => `/p${url}` });
  const { body, headers } = await server.call({ path: "/to" });
  assert.deepEqual([body.toString(), headers["content-length"]], ['<a href="/p/x">', undefined]);
  const head = await server.call({ method: "HEAD", path: "/to" });
  assert.deepEqual([head.code, head.body.length], [200, 0]);
});

/** Sends an upgrade request and then `later` on the same connection; tells all that comes back until the end. */
function upgrade(server: { port: number; ca: { cert: string }; admin: object }, later: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port: server.port, ca: server.ca.cert, ...server.admin });
    let text = "";
    socket.setEncoding("latin1");
    socket.on("data", (data) => {
      text += data;
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(text));
    socket.write("GET /to HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n");
    socket.write(later);
  });
}

test("a refused upgrade ends the connection: nothing that follows reaches the target", async () => {
  await using server = await startForwarding();
  const text = await upgrade(server, "GET /secret HTTP/1.1\r\nHost: x\r\n\r\n");
  assert.match(text, /^HTTP\/1\.1 200 /);
  assert.match(text, /answered$/);
  assert.deepEqual(
    server.seen.map(({ url }) => url),
    ["/"],
  );
});

test("an accepted upgrade joins both sides", async () => {
  await using server = await startForwarding();
  server.backend.on("upgrade", (_request, socket) => {
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n");
    socket.on("data", (data: Buffer) => socket.end(`echo ${data}`));
  });
  const text = await upgrade(server, "hello");
  assert.match(text, /^HTTP\/1\.1 101 /);
  assert.match(text, /echo hello$/);
});

test("a target that switches protocols unasked gets no connection", async () => {
  await using server = await startForwarding();
  server.backend.removeAllListeners("request");
  server.backend.on("request", (request) => {
    request.socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n");
  });
  assert.equal((await server.call({ path: "/to" })).code, 503);
});
