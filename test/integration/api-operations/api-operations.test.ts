// "API operations" and "lifecycle" of conformance: every kind is discovered, created, read, listed, watched, patched, replaced and
// deleted alone and as a collection, and its status is written by itself.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Answer, startApiServer, type TestServer } from "../api-server.fixture.ts";
import { type KindCase, kinds } from "./kinds.ts";

const MERGE = { "content-type": "application/merge-patch+json" };
const WATCH_SECONDS = 100;

interface Stored {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
    annotations?: Record<string, string>;
  };
  status?: object;
}

/** A call whose answer must have the code. */
type Succeed = (path: string, code: number, how?: Parameters<TestServer["call"]>[1]) => Promise<Answer>;

describe("API operations", () => {
  let server: TestServer;
  before(async () => {
    server = await startApiServer();
    // Pods wait for the account that a controller would make.
    await server.call("/api/v1/namespaces/default/serviceaccounts", { method: "POST", body: { metadata: { name: "default" } } });
  });
  after(() => server[Symbol.asyncDispose]());

  const succeed: Succeed = async (path, code, how = {}) => {
    const answer = await server.call(path, how);
    assert.equal(answer.code, code, `${how.method ?? "GET"} ${path}: ${answer.text}`);
    return answer;
  };

  for (const each of kinds) {
    it(`of ${each.root.replace(/^\/apis?\//, "")} ${each.kind}`, async () => {
      const operations = new Operations(each, succeed);
      await operations.discover();
      const first = await operations.create(1);
      const since = (await operations.list()).metadata.resourceVersion;
      const watching = operations.watch(since);
      await operations.create(2);
      await operations.change(first);
      if (each.status !== undefined) await operations.changeStatus(first, each.status);
      await operations.deleteOne(first);
      await operations.create(3);
      await operations.deleteAll();
      await server.clock.advance(WATCH_SECONDS * 1000);
      const events = (await watching).text
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as { type: string; object: Stored });
      assert.deepEqual([...new Set(events.map(({ type }) => type))], ["ADDED", "MODIFIED", "DELETED"]);
      const versions = events.map(({ object }) => Number(object.metadata.resourceVersion));
      assert.deepEqual(
        versions,
        versions.toSorted((a, b) => a - b),
        "events come in order",
      );
    });
  }
});

/** The operations on one kind, each of which fails when its answer is not as it should be. */
class Operations {
  readonly #case: KindCase;
  readonly #call: Succeed;
  readonly #collection: string;
  readonly #label: string;

  constructor(each: KindCase, call: Succeed) {
    this.#case = each;
    this.#call = call;
    this.#collection = `${each.root}/${each.isNamespaced ? "namespaces/default/" : ""}${each.resource}`;
    this.#label = `test=${each.resource}`;
  }

  async discover(): Promise<void> {
    const { root, resource, kind } = this.#case;
    const { resources } = (await this.#call(root, 200)).json as { resources: { name: string; kind: string; verbs: string[] }[] };
    const found = resources.find(({ name }) => name === resource);
    assert.equal(found?.kind, kind);
    for (const verb of ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"])
      assert.ok(found?.verbs.includes(verb), `${resource} cannot ${verb}`);
    const hasStatus = resources.some(({ name }) => name === `${resource}/status`);
    if (this.#case.status !== undefined) assert.ok(hasStatus, "there is no status");
  }

  async create(number: number): Promise<string> {
    const { root, kind, resource, content, name = (n: number) => `test-${n}` } = this.#case;
    const [key = "", value = ""] = this.#label.split("=");
    const metadata = { name: name(number), labels: { [key]: value }, finalizers: [] };
    const body = { apiVersion: root.replace(/^\/apis?\//, ""), kind, metadata, ...content };
    const created = (await this.#call(this.#collection, 201, { method: "POST", body })).json as Stored;
    assert.notEqual(created.metadata.uid, "", resource);
    await this.#call(this.#collection, 409, { method: "POST", body });
    return name(number);
  }

  async list(): Promise<{ readonly metadata: { readonly resourceVersion: string }; readonly items: readonly Stored[] }> {
    const { root, resource } = this.#case;
    const everywhere = (await this.#call(`${root}/${resource}?labelSelector=${this.#label}`, 200)).json;
    const here = (await this.#call(`${this.#collection}?labelSelector=${this.#label}`, 200)).json;
    assert.deepEqual(here.items.map(nameOf), everywhere.items.map(nameOf));
    return here;
  }

  watch(since: string): Promise<Answer> {
    return this.#call(
      `${this.#collection}?watch=1&labelSelector=${this.#label}&resourceVersion=${since}&timeoutSeconds=${WATCH_SECONDS}`,
      200,
    );
  }

  async change(name: string): Promise<void> {
    const path = `${this.#collection}/${name}`;
    const body = { metadata: { annotations: { patched: "yes" } } };
    const patched = (await this.#call(path, 200, { method: "PATCH", headers: MERGE, body })).json as Stored;
    assert.equal(patched.metadata.annotations?.["patched"], "yes");
    patched.metadata.annotations = { ...patched.metadata.annotations, replaced: "yes" };
    await this.#call(path, 200, { method: "PUT", body: patched });
    const read = (await this.#call(path, 200)).json as Stored;
    assert.deepEqual([read.metadata.annotations?.["replaced"], read.metadata.uid], ["yes", patched.metadata.uid]);
    const stale = { ...patched, metadata: { ...patched.metadata, annotations: { late: "yes" } } };
    await this.#call(path, 409, { method: "PUT", body: stale });
  }

  async changeStatus(name: string, status: object): Promise<void> {
    const path = `${this.#collection}/${name}/status`;
    const patched = (await this.#call(path, 200, { method: "PATCH", headers: MERGE, body: { status } })).json as Stored;
    assert.partialDeepStrictEqual(patched.status, status);
    // Without a version: the server's own controllers write some of these, too.
    const { resourceVersion: _, ...metadata } = patched.metadata;
    await this.#call(path, 200, { method: "PUT", body: { ...patched, metadata } });
    assert.partialDeepStrictEqual(((await this.#call(path, 200)).json as Stored).status, status);
  }

  async deleteOne(name: string): Promise<void> {
    await this.#call(`${this.#collection}/${name}?gracePeriodSeconds=0&propagationPolicy=Background`, 200, { method: "DELETE" });
    await this.#removeFinalizers();
    await this.#call(`${this.#collection}/${name}`, 404);
  }

  async deleteAll(): Promise<void> {
    assert.equal((await this.list()).items.length, 2);
    await this.#call(`${this.#collection}?labelSelector=${this.#label}&gracePeriodSeconds=0`, 200, { method: "DELETE" });
    await this.#removeFinalizers();
    assert.deepEqual((await this.list()).items, []);
  }

  /** Those that admission puts on an object for a controller that does not run here. */
  async #removeFinalizers(): Promise<void> {
    for (const { metadata } of (await this.list()).items) {
      if (!("deletionTimestamp" in metadata)) continue;
      const body = { metadata: { finalizers: null } };
      await this.#call(`${this.#collection}/${metadata.name}`, 200, { method: "PATCH", headers: MERGE, body });
    }
  }
}

function nameOf({ metadata }: Stored): string {
  return metadata.name;
}
