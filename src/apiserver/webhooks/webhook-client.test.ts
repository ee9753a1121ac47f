import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { VirtualClock } from "../../base/index.ts";
import { CoreFixture } from "../registry/testing/core-fixture.ts";
import { EndpointServiceResolver } from "./service-resolver.ts";
import { WebhookServer } from "./testing/webhook-server.ts";
import { WebhookClient, type WebhookConfig } from "./webhook-client.ts";

const SERVICE = { namespace: "default", name: "hook", path: "/admit", port: 443 };

async function setUp() {
  const server = await WebhookServer.start();
  const clock = new VirtualClock();
  const client = new WebhookClient({ resolver: server, clock });
  const config: WebhookConfig = { service: SERVICE, caBundle: server.caBundle };
  const dispose = async () => {
    client.close();
    await server[Symbol.asyncDispose]();
  };
  return { server, clock, client, config, [Symbol.asyncDispose]: dispose };
}

describe("WebhookClient", () => {
  it("posts to the service's path under the service's name, and keeps the connection", async () => {
    await using at = await setUp();
    at.server.answering = ({ body }) => ({ seen: body });
    assert.deepEqual(await at.client.call(at.config, { a: 1 }, { timeoutMs: 10_000 }), { seen: { a: 1 } });
    await at.client.call(at.config, { a: 2 }, { timeoutMs: 10_000 });
    const [first, second] = at.server.requests;
    assert.equal(first?.path, "/admit?timeout=10s");
    assert.equal(first?.remotePort, second?.remotePort);
  });

  it("calls a URL as it stands, its query kept", async () => {
    await using at = await setUp();
    const config = { url: `https://127.0.0.1:${at.server.port}/x?y=z`, caBundle: at.server.caBundle };
    await at.client.call(config, {}, { timeoutMs: 1_000 });
    assert.equal(at.server.requests[0]?.path, "/x?y=z&timeout=1s");
  });

  it("names the call and the reason when it fails", async () => {
    await using at = await setUp();
    const text = 'Post "https://hook.default.svc:443/admit?timeout=5s": ';
    const other = { service: { ...SERVICE, name: "other" }, caBundle: at.server.caBundle };
    await assert.rejects(at.client.call({ service: SERVICE, caBundle: "" }, {}, { timeoutMs: 5_000 }), {
      message: `${text}tls: failed to verify certificate: x509: certificate signed by unknown authority`,
    });
    await assert.rejects(
      at.client.call(other, {}, { timeoutMs: 5_000 }),
      /x509: certificate is valid for 127.0.0.1, hook.default.svc, not other/,
    );
    await assert.rejects(at.client.call({ url: "https://127.0.0.1:1/" }, {}, { timeoutMs: 5_000 }), {
      message: 'Post "https://127.0.0.1:1/?timeout=5s": dial tcp 127.0.0.1:1: connect: connection refused',
    });
    at.server.answering = () => 404;
    await assert.rejects(at.client.call(at.config, {}, { timeoutMs: 5_000 }), {
      message: "the server could not find the requested resource",
    });
  });

  it("gives up when the time is over", async () => {
    await using at = await setUp();
    const asked = new Promise<void>((resolve) => {
      at.server.answering = () => {
        resolve();
        return "never";
      };
    });
    const call = at.client.call(at.config, {}, { timeoutMs: 2_000 });
    await Promise.all([
      assert.rejects(call, { message: 'Post "https://hook.default.svc:443/admit?timeout=2s": context deadline exceeded' }),
      asked.then(() => at.clock.advance(2_000)),
    ]);
  });
});

describe("EndpointServiceResolver", () => {
  it("answers a ready endpoint's address and target port, or why there is none", async () => {
    await using server = await CoreFixture.start();
    const resolver = new EndpointServiceResolver({ cache: server.core.cache, random: { next: () => 0, bytes: () => new Uint8Array() } });
    const where = { namespace: "default", name: "web", port: 443 };
    assert.throws(() => resolver.resolve(where), { message: 'service "web" not found' });
    await server.create("services", { metadata: { name: "web" }, spec: { ports: [{ name: "https", port: 443, targetPort: 8443 }] } });
    await server.clock.advance(0);
    assert.throws(() => resolver.resolve({ ...where, port: 80 }), { message: 'no service port 80 found for service "web"' });
    assert.throws(() => resolver.resolve(where), { message: 'no endpoints available for service "web"' });
    await server.create("discovery.k8s.io/v1/endpointslices", {
      metadata: { name: "web-1", labels: { "kubernetes.io/service-name": "web" } },
      addressType: "IPv4",
      ports: [{ name: "https", port: 8443 }],
      endpoints: [
        { addresses: ["10.0.0.1"], conditions: { ready: false } },
        { addresses: ["10.0.0.2"], conditions: { ready: true } },
      ],
    });
    await server.clock.advance(0);
    assert.deepEqual(resolver.resolve(where), { host: "10.0.0.2", port: 8443 });
  });
});
