import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger, VirtualClock } from "../../base/index.ts";
import { FetchError, type JsonRequest } from "../webhooks/fetch-json.ts";
import { type AuthorizationAttributes, type Decision, refusal } from "./authorizer.ts";
import { requestSelectors } from "./request-selectors.ts";
import { conditionEnvironment } from "./subject-access-review.ts";
import { UnionAuthorizer } from "./union-authorizer.ts";
import { WebhookAuthorizer, type WebhookAuthorizerConfig } from "./webhook-authorizer.ts";

const user = { name: "ann", groups: ["dev"], extra: { scope: ["a"] } };
const pods: AuthorizationAttributes = {
  user,
  verb: "get",
  group: "",
  version: "v1",
  resource: "pods",
  subresource: "",
  namespace: "dev",
  name: "a",
};

interface Review {
  readonly apiVersion: string;
  readonly spec: Readonly<Record<string, unknown>>;
}

function webhook(answer: () => unknown, config: Partial<WebhookAuthorizerConfig> = {}) {
  const bodies: Review[] = [];
  const clock = new VirtualClock();
  const fetchJson = async ({ body }: JsonRequest) => {
    bodies.push(body as Review);
    return answer();
  };
  const authorizer = new WebhookAuthorizer({
    fetchJson,
    clock,
    logger: silentLogger,
    config: {
      name: "hook",
      connection: { url: "https://hook" },
      version: "v1",
      timeoutMs: 3000,
      authorizedTtlMs: 300_000,
      unauthorizedTtlMs: 30_000,
      failurePolicy: "NoOpinion",
      conditions: [],
      ...config,
    },
  });
  return { authorizer, bodies, clock };
}

const condition = (expression: string) => ({ name: "", expression, program: conditionEnvironment.compile(expression) });

test("a webhook is sent the question as a SubjectAccessReview, and its word is taken", async () => {
  const { authorizer, bodies } = webhook(() => ({ status: { allowed: true, reason: "of course" } }));
  assert.deepEqual(await authorizer.authorize(pods), { allowed: true, reason: "of course" });
  assert.deepEqual(bodies[0], {
    kind: "SubjectAccessReview",
    apiVersion: "authorization.k8s.io/v1",
    metadata: {},
    spec: {
      resourceAttributes: { namespace: "dev", verb: "get", version: "v1", resource: "pods", name: "a" },
      user: "ann",
      groups: ["dev"],
      extra: { scope: ["a"] },
    },
  });
  await authorizer.authorize({ ...pods, path: "/metrics" });
  assert.deepEqual(bodies[1]?.spec["nonResourceAttributes"], { path: "/metrics", verb: "get" });
});

test("a webhook is told what a list selects, as far as it is understood, and its conditions see it", async () => {
  const { authorizer, bodies } = webhook(() => ({}), {
    conditions: [
      condition("request.resourceAttributes.fieldSelector.requirements.exists(r, r.key == 'spec.nodeName' && r.values == ['n1'])"),
    ],
  });
  const selectors = { fieldSelector: "spec.nodeName=n1", labelSelector: "app in (b,a),!old,tier!=x,size>3" };
  await authorizer.authorize({ ...pods, verb: "list", ...requestSelectors("list", selectors) });
  assert.deepEqual(bodies[0]?.spec["resourceAttributes"], {
    ...{ namespace: "dev", verb: "list", version: "v1", resource: "pods", name: "a" },
    fieldSelector: { requirements: [{ key: "spec.nodeName", operator: "In", values: ["n1"] }] },
    labelSelector: {
      requirements: [
        { key: "app", operator: "In", values: ["a", "b"] },
        { key: "old", operator: "DoesNotExist" },
        { key: "tier", operator: "NotIn", values: ["x"] },
      ],
    },
  });
  await authorizer.authorize({ ...pods, ...requestSelectors("get", selectors) });
  await authorizer.authorize({ ...pods, verb: "list", ...requestSelectors("list", { fieldSelector: "spec.nodeName=n2" }) });
  await authorizer.authorize({ ...pods, verb: "list", ...requestSelectors("list", { fieldSelector: "spec.nodeName" }) });
  assert.equal(bodies.length, 1);
});

test("v1beta1 calls the groups group", async () => {
  const { authorizer, bodies } = webhook(() => ({}), { version: "v1beta1" });
  assert.deepEqual(await authorizer.authorize(pods), { allowed: false, reason: "" });
  assert.equal(bodies[0]?.apiVersion, "authorization.k8s.io/v1beta1");
  assert.deepEqual(bodies[0]?.spec["group"], ["dev"]);
});

test("an answer is kept as long as it may be, and what is known is told at once", async () => {
  let allowed = true;
  const { authorizer, bodies, clock } = webhook(() => ({ status: { allowed } }));
  await authorizer.authorize(pods);
  assert.ok(!(authorizer.authorize(pods) instanceof Promise));
  allowed = false;
  await clock.advance(300_000);
  assert.equal((await authorizer.authorize(pods)).allowed, false);
  await clock.advance(29_999);
  assert.ok(!(authorizer.authorize(pods) instanceof Promise));
  await clock.advance(1);
  await authorizer.authorize(pods);
  assert.equal(bodies.length, 3);
});

test("questions that are very long or must not be kept are asked every time", async () => {
  const kept = webhook(() => ({ status: { allowed: true } }));
  for (const _ of [1, 2]) await kept.authorizer.authorize({ ...pods, name: "a".repeat(10_000) });
  assert.equal(kept.bodies.length, 2);
  const never = webhook(() => ({ status: { allowed: true } }), { authorizedTtlMs: 0 });
  for (const _ of [1, 2]) await never.authorizer.authorize(pods);
  assert.equal(never.bodies.length, 2);
});

test("only what its conditions let through is sent to it", async () => {
  const about = "has(request.resourceAttributes) && request.resourceAttributes.namespace == 'kube-system'";
  const conditions = [condition(about), condition("!('ops' in request.groups)")];
  const { authorizer, bodies } = webhook(() => ({ status: { allowed: true } }), { conditions });
  assert.deepEqual(authorizer.authorize(pods), { allowed: false, reason: "" });
  assert.deepEqual(authorizer.authorize({ ...pods, path: "/metrics" }), { allowed: false, reason: "" });
  assert.equal((await authorizer.authorize({ ...pods, namespace: "kube-system" })).allowed, true);
  assert.equal(bodies.length, 1);
});

test("conditions that cannot be judged count as the failure policy says", () => {
  const conditions = [condition("request.extra['x'][0] == 'y'")];
  const judged = (failurePolicy: "NoOpinion" | "Deny") =>
    webhook(() => ({}), { conditions, failurePolicy }).authorizer.authorize(pods) as Decision;
  assert.equal(judged("NoOpinion").denied, undefined);
  assert.equal(judged("Deny").denied, true);
  assert.match(
    judged("Deny").error ?? "",
    /^cel evaluation error: expression 'request.extra\['x'\]\[0\] == 'y'' resulted in error: no such key: x$/,
  );
});

test("a webhook that is overloaded is asked five times, then its failure policy holds", async () => {
  const overloaded = () => {
    throw new FetchError("POST https://hook: 503", 503);
  };
  const { authorizer, bodies, clock } = webhook(overloaded, { failurePolicy: "Deny" });
  const decision = authorizer.authorize(pods);
  await clock.advance(10_000);
  assert.deepEqual(await decision, { allowed: false, reason: "", error: "POST https://hook: 503", denied: true });
  assert.equal(bodies.length, 5);
  const refusing = webhook(() => {
    throw new FetchError("POST https://hook: 401", 401);
  });
  assert.deepEqual(await refusing.authorizer.authorize(pods), { allowed: false, reason: "", error: "POST https://hook: 401" });
  assert.equal(refusing.bodies.length, 1);
});

test("the first opinion decides: what a webhook denies no one behind it allows", async () => {
  const allowsAll = { authorize: () => ({ allowed: true, reason: "all" }) };
  const ask = (status: object) => new UnionAuthorizer([webhook(() => ({ status })).authorizer, allowsAll]).authorize(pods);
  assert.deepEqual(await ask({ denied: true, reason: "no" }), { allowed: false, denied: true, reason: "no" });
  assert.deepEqual(await ask({ allowed: false, reason: "hm" }), { allowed: true, reason: "all" });
  assert.equal((await ask({ allowed: true, denied: true })).error, "webhook subject access review returned both allow and deny response");
  assert.ok(!(new UnionAuthorizer([allowsAll, webhook(() => ({})).authorizer]).authorize(pods) instanceof Promise));
});

test("what nobody allows is forbidden with all reasons, or an error when someone could not judge", async () => {
  const members = [{ authorize: () => ({ allowed: false, reason: "one" }) }, webhook(() => ({ status: { reason: "two" } })).authorizer];
  const decision = await new UnionAuthorizer(members).authorize(pods);
  assert.equal(refusal(pods, decision).code, 403);
  assert.match(refusal(pods, decision).message, /in the namespace "dev": one\ntwo$/);
  const broken = { authorize: () => ({ allowed: false, reason: "", error: "no route" }) };
  assert.equal(refusal(pods, await new UnionAuthorizer([...members, broken]).authorize(pods)).code, 500);
});

test("a list of rules is incomplete when a webhook has a say", () => {
  const { incomplete, evaluationError } = new UnionAuthorizer([webhook(() => ({})).authorizer]).rulesFor(user, "dev");
  assert.deepEqual([incomplete, evaluationError], [true, "webhook authorizer does not support user rule resolution"]);
});
