// What the audit policy wants is recorded of real requests, and nothing else.
import assert from "node:assert/strict";
import { it } from "node:test";
import type { AuditPolicy } from "../../src/apiserver/index.ts";
import { ca, startApiServer } from "./api-server.fixture.ts";

interface Event {
  readonly stage: string;
  readonly verb: string;
  readonly requestURI: string;
  readonly user: { readonly username?: string };
  readonly impersonatedUser?: { readonly username: string };
  readonly responseStatus?: { readonly code: number; readonly reason?: string };
  readonly annotations?: Readonly<Record<string, string>>;
  readonly requestObject?: { readonly metadata: { readonly name: string } };
}

async function startAudited(policy: AuditPolicy) {
  const events: Event[] = [];
  const server = await startApiServer({ audit: { policy, sinks: [{ write: (event) => void events.push(event as Event) }] } });
  const ended = async (count: number) => {
    const isOver = () => events.filter(({ stage }) => stage === "ResponseComplete").length >= count;
    for (let look = 0; look < 2_000 && !isOver(); look++) await new Promise((resolve) => setTimeout(resolve, 5));
    return events;
  };
  return { ...server, ended };
}

const omitStages = ["RequestReceived"] as const;

it("records bodies where the policy wants them, and secrets where it does not only as having been written", async () => {
  const rules = [{ level: "Metadata", resources: [{ resources: ["secrets"] }] }, { level: "Request" }] as const;
  await using server = await startAudited({ rules, omitStages });
  const create = (plural: string, body: object) => server.call(`/api/v1/namespaces/default/${plural}`, { method: "POST", body });
  await create("secrets", { metadata: { name: "s" }, stringData: { password: "hunter2" } });
  await create("configmaps", { metadata: { name: "c" }, data: { a: "b" } });
  const [secret, configMap] = await server.ended(2);
  assert.deepEqual([secret?.requestURI, secret?.requestObject], ["/api/v1/namespaces/default/secrets", undefined]);
  assert.ok(!JSON.stringify(secret).includes("hunter2"));
  assert.equal(configMap?.requestObject?.metadata.name, "c");
});

it("records refusals, and who acts as whom", async () => {
  await using server = await startAudited({ rules: [{ level: "Metadata" }], omitStages });
  await server.call("/api/v1/pods", { as: undefined });
  await server.call("/api/v1/pods", { as: await ca.issue("CN=bob") });
  await server.call("/api/v1/pods", { headers: { "impersonate-user": "sam" } });
  const events = await server.ended(3);
  assert.deepEqual(
    events.map(({ user, impersonatedUser, responseStatus }) => [user.username, impersonatedUser?.username, responseStatus?.code]),
    [
      [undefined, undefined, 401],
      ["bob", undefined, 403],
      ["admin", "sam", 403],
    ],
  );
  assert.equal(events[1]?.annotations?.["authorization.k8s.io/decision"], "forbid");
});

it("tells when a watch begins and when it ends", async () => {
  await using server = await startAudited({ rules: [{ level: "Metadata", verbs: ["watch"] }] });
  await server.passUntil(server.call("/api/v1/pods?watch=true&timeoutSeconds=1"), 1_000);
  const events = await server.ended(1);
  assert.deepEqual(
    events.map(({ stage }) => stage),
    ["RequestReceived", "ResponseStarted", "ResponseComplete"],
  );
});
