// An API server behind a Service: it becomes a part of the API, and is told who asks.
import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { createTestCa } from "../../src/apiserver/front/fake-server.ts";
import { type Answer, ca, proxyCa, startApiServer, type TestServer } from "./api-server.fixture.ts";

const GROUP = "wardle.example.com";
const extensionCa = await createTestCa("test-extension-ca");
const serving = await extensionCa.issue("CN=extension", ["ext.default.svc"]);

const flunder = { type: "object", properties: { spec: { type: "string" } } };
const openApiV2 = {
  paths: { [`/apis/${GROUP}/v1/flunders`]: { get: { responses: { 200: { schema: { $ref: "#/definitions/Flunder" } } } } } },
  definitions: { Flunder: flunder },
};

/** Believes only the front proxy; serves flunders, and answers all else with what it was asked. */
async function startExtension() {
  const seen: IncomingMessage[] = [];
  const server = createServer({ ...serving, ca: proxyCa.cert, requestCert: true, rejectUnauthorized: true }, (request, response) => {
    seen.push(request);
    response.setHeader("content-type", "application/json");
    if (request.url === "/openapi/v3") {
      response.end(JSON.stringify({ paths: { [`apis/${GROUP}/v1`]: { serverRelativeURL: `/openapi/v3/apis/${GROUP}/v1?hash=1` } } }));
    } else if (request.url === "/openapi/v2") {
      response.setHeader("etag", '"one"');
      response.statusCode = request.headers["if-none-match"] === '"one"' ? 304 : 200;
      response.end(response.statusCode === 304 ? undefined : JSON.stringify(openApiV2));
    } else if (request.url === `/apis/${GROUP}/v1`) {
      const flunders = { name: "flunders", singularName: "flunder", namespaced: true, kind: "Flunder", verbs: ["get", "list"] };
      response.end(JSON.stringify({ kind: "APIResourceList", groupVersion: `${GROUP}/v1`, resources: [flunders] }));
    } else
      response.end(JSON.stringify({ url: request.url, user: request.headers["x-remote-user"], groups: request.headers["x-remote-group"] }));
  });
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { port, seen, close, [Symbol.asyncDispose]: close };
}

const services = "/api/v1/namespaces/default/services";
const apiServices = "/apis/apiregistration.k8s.io/v1/apiservices";

async function register(server: TestServer, port: number, spec: object = {}): Promise<void> {
  await server.call(services, {
    method: "POST",
    body: { metadata: { name: "ext" }, spec: { type: "ExternalName", externalName: "localhost" } },
  });
  const caBundle = Buffer.from(extensionCa.cert).toString("base64");
  const service = { namespace: "default", name: "ext", port };
  const created = await server.call(apiServices, {
    method: "POST",
    body: {
      metadata: { name: `v1.${GROUP}` },
      spec: { group: GROUP, version: "v1", groupPriorityMinimum: 2000, versionPriority: 200, service, caBundle, ...spec },
    },
  });
  assert.equal(created.code, 201, created.text);
}

const available = (reason: string) => (answer: { json: { status?: { conditions?: { reason: string }[] } } }) =>
  answer.json.status?.conditions?.[0]?.reason === reason;

describe("aggregation", () => {
  it("registers what the server serves itself, as always available", async () => {
    await using server = await startApiServer();
    const local = await server.eventually(`${apiServices}/v1.apps`, available("Local"));
    assert.equal(local.json.spec.groupPriorityMinimum, 17800);
    assert.equal(local.json.metadata.labels["kube-aggregator.kubernetes.io/automanaged"], "onstart");
    const { items } = (await server.call(apiServices)).json;
    assert.ok(items.every(({ spec }: { spec: { group?: string } }) => spec.group !== "apiregistration.k8s.io"));
  });

  it("passes requests on with the user in headers, and shows the group in discovery and OpenAPI", async () => {
    await using server = await startApiServer();
    await using extension = await startExtension();
    await register(server, extension.port);
    await server.eventually(`${apiServices}/v1.${GROUP}`, available("Passed"));
    const answer = await server.call(`/apis/${GROUP}/v1/namespaces/default/flunders?limit=5`, {
      headers: { "x-remote-user": "someone-else", authorization: "Bearer x" },
    });
    assert.equal(answer.code, 200, answer.text);
    assert.deepEqual(answer.json, {
      url: `/apis/${GROUP}/v1/namespaces/default/flunders?limit=5`,
      user: "admin",
      groups: "system:masters, system:authenticated",
    });
    assert.equal(extension.seen.at(-1)?.headers.authorization, undefined);
    const groups = (await server.call("/apis")).json.groups.map(({ name }: { name: string }) => name);
    assert.ok(groups.includes(GROUP));
    const accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    const { items } = (await server.call("/apis", { headers: { accept } })).json;
    const found = items.find(({ metadata }: { metadata: { name: string } }) => metadata.name === GROUP);
    assert.equal(found.versions[0].freshness, "Current");
    assert.equal(found.versions[0].resources[0].resource, "flunders");
    assert.equal((await server.call(`/apis/${GROUP}/v1`)).json.resources[0].kind, "Flunder");
    assert.equal(
      (await server.call("/openapi/v3")).json.paths[`apis/${GROUP}/v1`].serverRelativeURL,
      `/openapi/v3/apis/${GROUP}/v1?hash=1`,
    );
  });

  it("joins the server's OpenAPI with its own, until the APIService goes", async () => {
    await using server = await startApiServer();
    await using extension = await startExtension();
    await register(server, extension.port);
    await server.eventually(`${apiServices}/v1.${GROUP}`, available("Passed"));
    const path = `/apis/${GROUP}/v1/flunders`;
    const { paths, definitions } = (await server.call("/openapi/v2")).json;
    assert.deepEqual(definitions["Flunder"], flunder);
    assert.ok(paths[path] !== undefined && paths["/api/v1/pods"] !== undefined);
    const asked = () => extension.seen.filter(({ url }) => url === "/openapi/v2").length;
    const before = asked();
    await server.clock.advance(30_000);
    await server.eventually("/version", () => asked() > before);
    assert.ok((await server.call("/openapi/v2")).json.paths[path] !== undefined);
    await server.call(`${apiServices}/v1.${GROUP}`, { method: "DELETE" });
    const gone = await server.eventually("/openapi/v2", ({ json }) => json.paths[path] === undefined);
    assert.equal(gone.json.definitions["Flunder"], undefined);
    assert.equal((await server.call("/openapi/v3")).json.paths[`apis/${GROUP}/v1`], undefined);
    assert.equal((await server.call(`/apis/${GROUP}`)).code, 404);
  });

  it("authorises before it passes on", async () => {
    await using server = await startApiServer();
    await using extension = await startExtension();
    await register(server, extension.port);
    await server.eventually(`${apiServices}/v1.${GROUP}`, available("Passed"));
    const refused = await server.call(`/apis/${GROUP}/v1/namespaces/default/flunders`, { as: await ca.issue("CN=bob") });
    assert.match(refused.json.message, /^flunders.wardle.example.com is forbidden: User "bob" cannot list resource "flunders"/);
    assert.ok(extension.seen.every(({ url }) => url?.includes("flunders") !== true));
  });

  it("answers 503 and says why while the server behind is not there or not the right one", async () => {
    await using server = await startApiServer();
    await using extension = await startExtension();
    await register(server, extension.port, { caBundle: Buffer.from(ca.cert).toString("base64") });
    const failed = await server.eventually(`${apiServices}/v1.${GROUP}`, available("FailedDiscoveryCheck"));
    assert.match(
      failed.json.status.conditions[0].message,
      /^failing or missing response from https:\/\/localhost:\d+\/apis\/.*: tls: failed to verify/,
    );
    const answer = await server.call(`/apis/${GROUP}/v1/flunders`);
    assert.deepEqual([answer.code, answer.text], [503, "service unavailable\n"]);
    await server.call(`${services}/ext`, { method: "DELETE" });
    await server.eventually(`${apiServices}/v1.${GROUP}`, available("ServiceNotFound"));
  });

  it("notices when a server goes away, and still tells what it served", async () => {
    await using server = await startApiServer();
    await using extension = await startExtension();
    await register(server, extension.port);
    await server.eventually(`${apiServices}/v1.${GROUP}`, available("Passed"));
    await extension.close();
    await server.clock.advance(30_000);
    await server.eventually(`${apiServices}/v1.${GROUP}`, available("FailedDiscoveryCheck"));
    const accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    const versionOf = ({ json }: Answer) =>
      json.items.find(({ metadata }: { metadata: { name: string } }) => metadata.name === GROUP).versions[0];
    const answer = await server.eventually("/apis", (each) => versionOf(each).freshness === "Stale", { headers: { accept } });
    assert.deepEqual([versionOf(answer).freshness, versionOf(answer).resources.length], ["Stale", 1]);
  });

  it("tells extension servers whom to believe", async () => {
    await using server = await startApiServer();
    const { data } = (await server.call("/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication")).json;
    assert.equal(data["requestheader-client-ca-file"], proxyCa.cert);
    assert.equal(data["client-ca-file"], ca.cert);
    assert.equal(data["requestheader-allowed-names"], '["front-proxy-client"]');
  });
});
