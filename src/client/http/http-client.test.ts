import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import { builtInCatalog, type RequestScope, resources, type StoredWatchEvent, type UncheckedObject } from "../../api/index.ts";
import { VirtualClock } from "../../base/index.ts";
import { StatusError, statusError } from "../../machinery/index.ts";
import { clientSuite } from "../client.suite.ts";
import { isConnectionError } from "../connection-error.ts";
import { FakeHandler } from "../fake-handler.ts";
import { HttpClient } from "./http-client.ts";
import { fromKubeconfig, parseKubeconfig } from "./kubeconfig.ts";
import { LineSplitter } from "./line-splitter.ts";

const { configmaps } = resources;

/** A server on a port of its own and a client of it. */
async function serve(listener: RequestListener, clock = new VirtualClock(), more: { readonly silenceMs?: number } = {}) {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const client = new HttpClient({ server: new URL(`http://127.0.0.1:${port}`), token: "secret", userAgent: "test/1", clock, ...more });
  const stop = async () => {
    client.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { client, port, stop, [Symbol.asyncDispose]: stop };
}

/** Just enough HTTP before a FakeHandler. */
function front(handler: FakeHandler): RequestListener {
  const catalog = builtInCatalog();
  return (request, response) => {
    answer(handler, catalog, request, response).catch((error: unknown) => {
      const { status } = error instanceof StatusError ? error : statusError("InternalError", String(error));
      if (!response.headersSent) response.writeHead(status.code ?? 500);
      response.end(JSON.stringify(status));
    });
  };
}

async function answer(
  handler: FakeHandler,
  catalog: ReturnType<typeof builtInCatalog>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? "", "http://server");
  const query = Object.fromEntries(url.searchParams);
  const [, , , , namespace = "", plural = "", name = "", subresource = ""] = url.pathname.split("/");
  const resource = catalog.find("", "v1", plural);
  assert.ok(resource !== undefined);
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  const scope: RequestScope = { user: { name: "", groups: [] }, resource, namespace, name, subresource, signal: gone.signal };
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = (chunks.length === 0 ? {} : JSON.parse(Buffer.concat(chunks).toString())) as UncheckedObject;
  const write = { dryRun: query["dryRun"] === "All" };
  const type = request.headers["content-type"] ?? "";
  const send = (value: unknown) => response.end(JSON.stringify(value));
  if (request.method === "POST") return void send((await handler.create(scope, body, write)).object);
  if (request.method === "PUT") return void send((await handler.update(scope, body, write)).stored.object);
  if (request.method === "PATCH") return void send((await handler.patch(scope, body, { ...write, type })).stored.object);
  if (request.method === "DELETE" && name !== "") return void send(await handler.delete(scope));
  if (request.method === "DELETE") return void send(await handler.deleteCollection(scope, {}, query));
  if (name !== "") return void send((await handler.get(scope)).object);
  if (query["watch"] === undefined) {
    const { items, ...metadata } = await handler.list(scope, { ...query, limit: Number(query["limit"] ?? 0) });
    return void send({ metadata, items: items.map((stored) => ({ ...stored.object, kind: undefined })) });
  }
  const stream = await handler.watch(scope, { ...query, sendInitialEvents: query["sendInitialEvents"] === "true" });
  for await (const batch of stream) for (const event of batch) response.write(`${JSON.stringify(frame(event))}\n`);
  response.end();
}

function frame(event: StoredWatchEvent): unknown {
  if (event.type === "ERROR") return { type: event.type, object: event.status };
  if (event.type !== "BOOKMARK") return { type: event.type, object: event.stored.object };
  const { resourceVersion, isInitialEventsEnd } = event;
  return {
    type: "BOOKMARK",
    object: { metadata: { resourceVersion, annotations: { "k8s.io/initial-events-end": String(isInitialEventsEnd) } } },
  };
}

clientSuite("HttpClient", () => serve(front(new FakeHandler())));

describe("HttpClient", () => {
  test("comes back after Retry-After, and says who it is", async () => {
    const clock = new VirtualClock();
    const seen: (string | undefined)[] = [];
    await using server = await serve((request, response) => {
      seen.push(request.headers.authorization, request.headers["user-agent"]);
      if (seen.length === 2) response.writeHead(429, { "retry-after": "7" }).end("slow down");
      else response.end(JSON.stringify({ metadata: { name: "a" } }));
    }, clock);
    const got = server.client.get(configmaps, "a", { namespace: "default" });
    while (seen.length < 2) await new Promise((resolve) => setImmediate(resolve));
    let isDone = false;
    const done = got.then(() => (isDone = true));
    while (!isDone) await clock.advance(1000);
    await done;
    assert.ok(clock.monotonic() >= 7000);
    assert.deepEqual(seen, ["Bearer secret", "test/1", "Bearer secret", "test/1"]);
  });

  test("rejects with a status also when no API server answered", async () => {
    await using server = await serve((_request, response) => response.writeHead(503).end("no backend"));
    await assert.rejects(server.client.get(configmaps, "a"), (error) => {
      assert.ok(error instanceof StatusError);
      assert.deepEqual([error.code, error.reason, error.message], [503, "ServiceUnavailable", "no backend"]);
      return true;
    });
  });

  test("rejects with ConnectionError when no one listens and when a stream breaks", async () => {
    const server = await serve((_request, response) => {
      response.write('{"type":"ADDED","object":{"metadata":{"name":"a"}}}\n');
      setImmediate(() => response.destroy());
    });
    await assert.rejects(async () => {
      for await (const events of server.client.watch(configmaps)) assert.equal(events.length, 1);
    }, isConnectionError);
    await server.stop();
    await assert.rejects(server.client.list(configmaps), isConnectionError);
  });

  test("gives a call up to which no answer comes, but not a watch in which nothing happens", async () => {
    const silenceMs = 50;
    const listener: RequestListener = (request, response) => {
      if (request.url?.includes("watch=true") === true) {
        response.writeHead(200).flushHeaders();
        setTimeout(() => response.end('{"type":"ADDED","object":{"metadata":{"name":"a"}}}\n'), 3 * silenceMs);
      } else if (request.url?.endsWith("/silent") !== true) response.end('{"metadata":{"name":"a"}}');
    };
    await using server = await serve(listener, new VirtualClock(), { silenceMs });
    await server.client.get(configmaps, "a");
    const seen: unknown[] = [];
    for await (const events of server.client.watch(configmaps)) seen.push(...events);
    assert.equal(seen.length, 1);
    await assert.rejects(server.client.get(configmaps, "silent"), isConnectionError);
  });
});

test("LineSplitter finds lines wherever the chunks are cut", () => {
  const text = "größer\n\nb\nlast";
  const bytes = Buffer.from(text);
  for (let size = 1; size <= bytes.length; size++) {
    const splitter = new LineSplitter();
    const lines: string[] = [];
    for (let at = 0; at < bytes.length; at += size) lines.push(...splitter.push(bytes.subarray(at, at + size)));
    assert.deepEqual(lines, ["größer", "b"]);
  }
});

test("a kubeconfig's context gives server, authority and credentials", () => {
  const data = Buffer.from("PEM").toString("base64");
  const config = parseKubeconfig(`
current-context: main
contexts: [{ name: main, context: { cluster: c, user: u } }]
clusters: [{ name: c, cluster: { server: "https://127.0.0.1:6443", certificate-authority-data: ${data} } }]
users: [{ name: u, user: { client-certificate: /cert, token: t } }]`);
  const { options, namespace } = fromKubeconfig(config, { readFile: (path) => `content of ${path}` });
  assert.equal(options.server.href, "https://127.0.0.1:6443/");
  assert.deepEqual([options.ca, options.cert, options.token, namespace], ["PEM", "content of /cert", "t", "default"]);
  assert.throws(() => fromKubeconfig(config, { context: "none" }), { message: 'the kubeconfig has no context "none"' });
});
