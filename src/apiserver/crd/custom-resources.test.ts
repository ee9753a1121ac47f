import assert from "node:assert/strict";
import { test } from "node:test";
import type { RequestScope } from "../../api/index.ts";
import type { KubeObject } from "../../machinery/index.ts";
import { CoreFixture, describeEvents } from "../registry/testing/core-fixture.ts";
import { WebhookServer } from "../webhooks/testing/webhook-server.ts";

type Custom = KubeObject & Record<string, unknown>;

const text = { type: "string" };
const schemas = { v1: { host: text, port: text }, v2: { hostPort: text } };
const versions = [
  {
    name: "v1",
    served: true,
    storage: true,
    schema: { openAPIV3Schema: { type: "object", properties: schemas.v1 } },
    selectableFields: [{ jsonPath: ".host" }],
  },
  {
    name: "v2",
    served: true,
    storage: false,
    schema: { openAPIV3Schema: { type: "object", properties: schemas.v2 } },
    selectableFields: [{ jsonPath: ".hostPort" }],
  },
];

/** v1 has host and port apart, v2 together. */
function converted(object: Custom, apiVersion: string): Custom {
  const { host, port, hostPort, ...rest } = object;
  if (object.apiVersion === apiVersion) return object;
  if (apiVersion.endsWith("/v2")) return { ...rest, apiVersion, hostPort: `${host}:${port}` };
  const [newHost, newPort] = String(hostPort).split(":");
  return { ...rest, apiVersion, host: newHost, port: newPort };
}

class ConversionFixture implements AsyncDisposable {
  readonly server: CoreFixture;
  readonly hooks: WebhookServer;
  /** How many objects each review had. */
  readonly asked: number[] = [];

  private constructor(server: CoreFixture, hooks: WebhookServer) {
    this.server = server;
    this.hooks = hooks;
  }

  static async start(): Promise<ConversionFixture> {
    const hooks = await WebhookServer.start();
    const fixture = new ConversionFixture(await CoreFixture.start({ serviceResolver: hooks }), hooks);
    hooks.answering = ({ body }) => {
      const { request } = body as { request: { uid: string; desiredAPIVersion: string; objects: Custom[] } };
      fixture.asked.push(request.objects.length);
      const convertedObjects = request.objects.map((object) => converted(object, request.desiredAPIVersion));
      return {
        kind: "ConversionReview",
        apiVersion: "apiextensions.k8s.io/v1",
        response: { uid: request.uid, result: { status: "Success" }, convertedObjects },
      };
    };
    await fixture.#define();
    return fixture;
  }

  /** A definition that has been granted its names, as the controller would have it. */
  async #define(): Promise<void> {
    const names = { plural: "hosts", singular: "host", kind: "Host", listKind: "HostList" };
    const clientConfig = { service: { namespace: "default", name: "hook", path: "/convert" }, caBundle: this.hooks.caBundle };
    const conversion = { strategy: "Webhook", webhook: { clientConfig, conversionReviewVersions: ["v1"] } };
    const definitions = "apiextensions.k8s.io/v1/customresourcedefinitions";
    const created = await this.server.create(definitions, {
      metadata: { name: "hosts.example.com" },
      spec: { group: "example.com", scope: "Namespaced", names, versions, conversion },
    });
    const status = { acceptedNames: names, storedVersions: ["v1"], conditions: [{ type: "Established", status: "True" }] };
    await this.server.update(definitions, { ...created.object, status } as Custom, { subresource: "status" });
    await this.server.clock.advance(0);
  }

  scope(version: string, name = ""): RequestScope {
    return this.server.scope(`example.com/${version}/hosts`, { name });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    await this.hooks[Symbol.asyncDispose]();
  }
}

test("a webhook converts between the version that is stored and the one that is asked for", async () => {
  await using fixture = await ConversionFixture.start();
  const { core } = fixture.server;
  await core.create(fixture.scope("v1"), { metadata: { name: "one" }, host: "a", port: "1" } as never, {});
  const second = await core.create(fixture.scope("v2"), { metadata: { name: "two" }, hostPort: "b:2" } as never, {});
  assert.deepEqual([(second.object as Custom).apiVersion, (second.object as Custom)["hostPort"]], ["example.com/v2", "b:2"]);
  await fixture.server.clock.advance(0);
  assert.equal(((await core.get(fixture.scope("v1", "two"), {})).object as Custom)["host"], "b");
  assert.equal(((await core.get(fixture.scope("v2", "one"), {})).object as Custom)["hostPort"], "a:1");
  const { stored } = await core.patch(fixture.scope("v2", "one"), { hostPort: "c:3" }, { type: "application/merge-patch+json" });
  assert.equal((stored.object as Custom)["hostPort"], "c:3");
  await fixture.server.clock.advance(0);
  assert.deepEqual(
    (await core.list(fixture.scope("v1"), {})).items.map(({ object }) => (object as Custom)["host"]),
    ["c", "b"],
  );
});

test("a list asks the webhook once for all that it has not converted yet, and remembers", async () => {
  await using fixture = await ConversionFixture.start();
  const { core } = fixture.server;
  for (const name of ["a", "b", "c"]) await core.create(fixture.scope("v1"), { metadata: { name }, host: name, port: "1" } as never, {});
  await fixture.server.clock.advance(0);
  fixture.asked.length = 0;
  const first = await core.list(fixture.scope("v2"), {});
  assert.deepEqual(
    first.items.map(({ object }) => (object as Custom)["hostPort"]),
    ["a:1", "b:1", "c:1"],
  );
  await core.list(fixture.scope("v2"), {});
  assert.deepEqual(fixture.asked, [3]);
});

test("when the webhook fails, only what needs it fails, and the next try asks again", async () => {
  await using fixture = await ConversionFixture.start();
  const { core } = fixture.server;
  const { answering } = fixture.hooks;
  await core.create(fixture.scope("v1"), { metadata: { name: "a" }, host: "a", port: "1" } as never, {});
  await fixture.server.clock.advance(0);
  fixture.hooks.answering = () => 500;
  assert.equal(((await core.get(fixture.scope("v1", "a"), {})).object as Custom)["host"], "a");
  await assert.rejects(core.get(fixture.scope("v2", "a"), {}), /conversion webhook for example.com\/v1, Kind=Host failed/);
  fixture.hooks.answering = answering;
  assert.equal(((await core.get(fixture.scope("v2", "a"), {})).object as Custom)["hostPort"], "a:1");
});

test("each version selects by fields of its own, in lists and watches", async () => {
  await using fixture = await ConversionFixture.start();
  const { core, clock } = fixture.server;
  await core.create(fixture.scope("v1"), { metadata: { name: "a" }, host: "a", port: "1" } as never, {});
  await core.create(fixture.scope("v1"), { metadata: { name: "b" }, host: "b", port: "1" } as never, {});
  await clock.advance(0);
  const names = ({ items }: Awaited<ReturnType<typeof core.list>>) => items.map(({ object }) => object.metadata.name);
  assert.deepEqual(names(await core.list(fixture.scope("v1"), { fieldSelector: "host=b" })), ["b"]);
  assert.deepEqual(names(await core.list(fixture.scope("v2"), { fieldSelector: "hostPort=b:1" })), ["b"]);
  await assert.rejects(core.list(fixture.scope("v2"), { fieldSelector: "host=b" }), /field label not supported: host/);
  const stop = new AbortController();
  const batches = await core.watch({ ...fixture.scope("v2"), signal: stop.signal }, { fieldSelector: "hostPort=b:1" });
  const seen: string[] = [];
  const reading = (async () => {
    for await (const batch of batches) seen.push(...describeEvents(batch));
  })();
  const patch = (name: string, port: string) => core.patch(fixture.scope("v1", name), { port }, { type: "application/merge-patch+json" });
  await patch("a", "5");
  await patch("b", "2");
  await patch("b", "1");
  await clock.advance(0);
  for (let turn = 0; seen.length < 3 && turn < 2000; turn++) await new Promise((resolve) => setImmediate(resolve));
  stop.abort();
  await reading;
  assert.deepEqual(seen, ["ADDED b", "DELETED b", "ADDED b"]);
});
