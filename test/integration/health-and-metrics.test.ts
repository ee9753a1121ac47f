// How the server says that it is well, and what it counts.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { startApiServer } from "./api-server.fixture.ts";

describe("health", () => {
  it("is told in a word, by name, at length, and without what does not count", async () => {
    let isDiskFull = false;
    await using server = await startApiServer({ healthChecks: [{ name: "disk", check: () => !isDiskFull }] });
    assert.deepEqual([(await server.call("/livez", { as: undefined })).text, (await server.call("/readyz/etcd")).text], ["ok", "ok"]);
    assert.equal((await server.call("/readyz?verbose")).text, "[+]ping ok\n[+]etcd ok\n[+]disk ok\n[+]shutdown ok\nreadyz check passed\n");
    isDiskFull = true;
    const ill = await server.call("/healthz");
    assert.deepEqual([ill.code, ill.text], [500, "[+]ping ok\n[+]etcd ok\n[-]disk failed: reason withheld\nhealthz check failed\n"]);
    const others = await server.call("/healthz?verbose&exclude=disk&exclude=nothing");
    assert.match(
      others.text,
      /^\[\+\]ping ok\n.*warn: some health checks cannot be excluded: no matches for "nothing"\nhealthz check passed\n$/s,
    );
    assert.equal((await server.call("/livez/nothing")).code, 404);
  });

  it("is shown of the components, with a warning that nobody should ask", async () => {
    await using server = await startApiServer();
    const answer = await server.call("/api/v1/componentstatuses");
    assert.equal(answer.headers["warning"], '299 - "v1 ComponentStatus is deprecated in v1.19+"');
    const told = answer.json.items.map((item: { metadata: { name: string }; conditions: { status: string }[] }) => [
      item.metadata.name,
      item.conditions[0]?.status,
    ]);
    assert.deepEqual(told, [
      ["controller-manager", "True"],
      ["etcd-0", "True"],
      ["scheduler", "True"],
    ]);
    assert.equal((await server.call("/api/v1/componentstatuses/scheduler")).json.conditions[0].message, "ok");
  });
});

describe("metrics", () => {
  it("count requests, objects and events under upstream's names", async () => {
    await using server = await startApiServer();
    const body = { metadata: { name: "a" } };
    await server.call("/api/v1/namespaces/default/configmaps", { method: "POST", body });
    await server.passUntil(server.call("/api/v1/namespaces/default/configmaps?watch=true&timeoutSeconds=1"), 200);
    const { text } = await server.call("/metrics");
    const has = (line: RegExp) => assert.match(text, line);
    has(
      /^apiserver_request_total\{verb="CREATE",group="",version="v1",resource="configmaps",subresource="",scope="resource",code="201"\} 1$/m,
    );
    has(/^apiserver_storage_objects\{resource="configmaps"\} [1-9]/m);
    has(/^apiserver_resource_objects\{group="apps",resource="deployments"\} 0$/m);
    has(/^apiserver_watch_events_total\{group="",version="v1",resource="configmaps"\} [1-9]/m);
    has(/^apiserver_flowcontrol_nominal_limit_seats\{priority_level="workload-low"\} 245$/m);
    has(/^apiserver_storage_size_bytes\{storage_cluster_id="etcd-0"\} 0$/m);
  });
});
