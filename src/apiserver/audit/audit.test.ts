import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger, VirtualClock } from "../../base/index.ts";
import { parseRequest } from "../front/request-info.ts";
import { Auditor } from "./auditor.ts";
import { type AuditPolicy, checkPolicy, decide } from "./policy.ts";
import { WebhookSink } from "./webhook-sink.ts";

const ann = { name: "ann", groups: ["dev", "system:authenticated"] };
const asked = (method: string, url: string) => parseRequest(method, url) ?? assert.fail();

test("the first rule that fits decides; what none fits is not recorded", () => {
  const policy: AuditPolicy = {
    omitStages: ["RequestReceived"],
    rules: [
      { level: "None", users: ["bob"] },
      { level: "Metadata", resources: [{ resources: ["secrets", "pods/log"] }] },
      { level: "Request", verbs: ["create"], namespaces: ["dev"], omitStages: ["ResponseStarted"] },
      { level: "RequestResponse", resources: [{ group: "apps", resources: ["*/scale"], resourceNames: ["web"] }] },
      { level: "Metadata", userGroups: ["ops"], nonResourceURLs: ["/healthz*"] },
    ],
  };
  const cases: [string, string, string, string][] = [
    ["ann", "GET", "/api/v1/namespaces/dev/secrets/s", "Metadata"],
    ["bob", "GET", "/api/v1/namespaces/dev/secrets/s", "None"],
    ["ann", "GET", "/api/v1/namespaces/dev/pods/p/log", "Metadata"],
    ["ann", "GET", "/api/v1/namespaces/dev/pods/p", "None"],
    ["ann", "POST", "/api/v1/namespaces/dev/pods", "Request"],
    ["ann", "GET", "/apis/apps/v1/namespaces/x/deployments/web/scale", "RequestResponse"],
    ["ann", "GET", "/apis/apps/v1/namespaces/x/deployments/other/scale", "None"],
    ["ann", "GET", "/healthz/ping", "None"],
  ];
  for (const [name, method, url, level] of cases) assert.equal(decide(policy, { ...ann, name }, asked(method, url)).level, level, url);
  const request = decide(policy, ann, asked("POST", "/api/v1/namespaces/dev/pods"));
  assert.deepEqual([...request.omitStages], ["RequestReceived", "ResponseStarted"]);
  assert.equal(decide(policy, { name: "x", groups: ["ops"] }, asked("GET", "/healthz/ping")).level, "Metadata");
});

test("a policy that cannot be meant is refused", () => {
  assert.throws(() => checkPolicy({ rules: [] }), /has no rules/);
  assert.throws(() => checkPolicy({ rules: [{ level: "All" as "None" }] }), /rule 0 has no level/);
  assert.throws(() => checkPolicy({ rules: [{ level: "None", namespaces: ["a"], nonResourceURLs: ["/x"] }] }), /cannot apply to both/);
});

function recordAt(level: "Metadata" | "Request" | "RequestResponse", policy: Partial<AuditPolicy> = {}) {
  const events: Record<string, unknown>[] = [];
  const clock = new VirtualClock();
  const sink = { write: (event: object) => void events.push(event as Record<string, unknown>) };
  const auditor = new Auditor({ policy: { rules: [{ level }], ...policy }, sinks: [sink], clock });
  const request = { headers: { "user-agent": "kubectl" }, url: "/api/v1/namespaces/dev/secrets", socket: { remoteAddress: "10.0.0.9" } };
  const info = asked("POST", request.url);
  const record = auditor.begin({ auditId: "id", request, info, user: ann, impersonated: { name: "sam", groups: [] } });
  return { record: record ?? assert.fail(), events };
}

test("an event tells who did what, when and how it ended", () => {
  const { record, events } = recordAt("Metadata");
  record.annotate("authorization.k8s.io/decision", "allow");
  record.completed(403, { metadata: {}, status: "Failure", reason: "Forbidden", message: "no", code: 403 });
  assert.deepEqual(
    events.map(({ stage }) => stage),
    ["RequestReceived", "ResponseComplete"],
  );
  assert.deepEqual(events[1], {
    kind: "Event",
    apiVersion: "audit.k8s.io/v1",
    level: "Metadata",
    auditID: "id",
    stage: "ResponseComplete",
    requestURI: "/api/v1/namespaces/dev/secrets",
    verb: "create",
    user: { username: "ann", groups: ["dev", "system:authenticated"] },
    impersonatedUser: { username: "sam", groups: [] },
    sourceIPs: ["10.0.0.9"],
    userAgent: "kubectl",
    objectRef: { resource: "secrets", namespace: "dev", apiVersion: "v1" },
    responseStatus: { metadata: {}, status: "Failure", message: "no", reason: "Forbidden", code: 403 },
    annotations: { "authorization.k8s.io/decision": "allow" },
    requestReceivedTimestamp: "2026-01-01T00:00:00.000000Z",
    stageTimestamp: "2026-01-01T00:00:00.000000Z",
  });
});

test("what was sent and answered is recorded at the levels for it, and at no other", () => {
  const secret = { kind: "Secret", metadata: { name: "s", managedFields: [{}] }, data: { key: "dG9w" } };
  const at = (level: Parameters<typeof recordAt>[0], policy: Partial<AuditPolicy> = {}) => {
    const { record, events } = recordAt(level, policy);
    record.sawRequest(secret);
    record.sawResponse(secret);
    record.completed(201, undefined);
    return events.at(-1) ?? {};
  };
  assert.ok(!JSON.stringify(at("Metadata")).includes("dG9w"));
  assert.deepEqual([at("Request")["requestObject"], at("Request")["responseObject"]], [secret, undefined]);
  assert.deepEqual(at("RequestResponse")["responseObject"], secret);
  assert.ok(!JSON.stringify(at("RequestResponse", { omitManagedFields: true })).includes("managedFields"));
});

test("a webhook gets events in batches, again when it did not take them, and loses them at last", async () => {
  const clock = new VirtualClock();
  const posted: { items: object[] }[] = [];
  let failures = 1;
  const post = async (body: object) => {
    if (failures-- > 0) throw new Error("down");
    posted.push(body as { items: object[] });
  };
  const sink = new WebhookSink({ post, clock, logger: silentLogger });
  sink.write({ n: 1 });
  sink.write({ n: 2 });
  await clock.advance(30_000);
  assert.equal(posted.length, 0);
  await clock.advance(10_000);
  assert.deepEqual(
    posted.map(({ items }) => items),
    [[{ n: 1 }, { n: 2 }]],
  );
  failures = 3;
  sink.write({ n: 3 });
  await clock.advance(60_000);
  sink.write({ n: 4 });
  await clock.advance(30_000);
  assert.deepEqual(posted.at(-1)?.items, [{ n: 4 }]);
});
