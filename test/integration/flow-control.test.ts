// Requests belong to flow schemas, and too many of one kind are told to come back later.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ca, startApiServer } from "./api-server.fixture.ts";

const API = "/apis/flowcontrol.apiserver.k8s.io/v1";

describe("priority and fairness", () => {
  it("makes the objects that every cluster has, and keeps the mandatory ones", async () => {
    await using server = await startApiServer();
    const all = await server.eventually(`${API}/flowschemas`, ({ json }) => json.items.length === 13);
    const names = all.json.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name);
    assert.ok(["exempt", "catch-all", "global-default"].every((name) => names.includes(name)));
    await server.eventually(`${API}/prioritylevelconfigurations`, ({ json }) => json.items.length === 8);
    await server.call(`${API}/flowschemas/catch-all`, { method: "DELETE" });
    assert.equal((await server.eventually(`${API}/flowschemas/catch-all`, ({ code }) => code === 200)).code, 200);
    const headers = { "content-type": "application/merge-patch+json" };
    await server.call(`${API}/flowschemas/exempt`, { method: "PATCH", headers, body: { spec: { matchingPrecedence: 77 } } });
    await server.eventually(`${API}/flowschemas/exempt`, ({ json }) => json.spec.matchingPrecedence === 1);
  });

  it("names schema and level in every answer", async () => {
    await using server = await startApiServer();
    const schema = await server.eventually(`${API}/flowschemas/global-default`, ({ code }) => code === 200);
    const level = await server.eventually(`${API}/prioritylevelconfigurations/global-default`, ({ code }) => code === 200);
    const answer = await server.call("/api/v1/pods", { as: await ca.issue("CN=bob") });
    assert.equal(answer.headers["x-kubernetes-pf-flowschema-uid"], schema.json.metadata.uid);
    assert.equal(answer.headers["x-kubernetes-pf-prioritylevel-uid"], level.json.metadata.uid);
  });

  it("lets whoever is configured so go no further than a level's seats", async () => {
    await using server = await startApiServer();
    await server.call(`${API}/prioritylevelconfigurations`, {
      method: "POST",
      body: {
        metadata: { name: "none" },
        spec: { type: "Limited", limited: { nominalConcurrencyShares: 0, borrowingLimitPercent: 0, limitResponse: { type: "Reject" } } },
      },
    });
    const rules = [
      {
        subjects: [{ kind: "User", user: { name: "bob" } }],
        resourceRules: [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"], namespaces: ["*"], clusterScope: true }],
      },
    ];
    const spec = { priorityLevelConfiguration: { name: "none" }, matchingPrecedence: 50, rules };
    const created = await server.call(`${API}/flowschemas`, { method: "POST", body: { metadata: { name: "bob" }, spec } });
    assert.equal(created.code, 201, created.text);
    await server.eventually(`${API}/flowschemas/bob`, ({ json }) => json.status?.conditions?.[0]?.status === "False");
    const answer = await server.call("/api/v1/pods", { as: await ca.issue("CN=bob") });
    assert.equal(answer.code, 429);
    assert.equal(answer.headers["retry-after"], "1");
    assert.equal(answer.json.reason, "TooManyRequests");
  });
});
