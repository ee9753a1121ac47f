import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { FlowSchema, PriorityLevelConfiguration } from "../../api/types/flowcontrol/v1.ts";
import { VirtualClock } from "../../base/index.ts";
import { parseRequest } from "../front/request-info.ts";
import { mandatoryLevels, mandatorySchemas, suggestedLevels, suggestedSchemas } from "./bootstrap.ts";
import { withDangling } from "./flow-configuration.ts";
import { FlowControl, type Turn } from "./flow-control.ts";
import { limitsOf } from "./limits.ts";
import { FlowMatcher } from "./matching.ts";
import { dealHand } from "./priority-level.ts";

const schemas = [...mandatorySchemas, ...suggestedSchemas];
const levels = [...mandatoryLevels, ...suggestedLevels];
const asked = (method: string, url: string) => parseRequest(method, url) ?? assert.fail();
const user = (name: string, ...groups: string[]) => ({ name, groups: [...groups, "system:authenticated"] });

test("requests find the schema of upstream's defaults", () => {
  const matcher = new FlowMatcher(schemas);
  const cases: [ReturnType<typeof user>, string, string, string][] = [
    [user("admin", "system:masters"), "GET", "/api/v1/pods", "exempt"],
    [user("x"), "GET", "/livez", "probes"],
    [user("system:node:n", "system:nodes"), "PATCH", "/api/v1/nodes/n/status", "system-node-high"],
    [user("system:node:n", "system:nodes"), "GET", "/api/v1/pods", "system-nodes"],
    [user("k8ts:hollow-nodes"), "PUT", "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/n", "system-node-high"],
    [user("system:kube-scheduler"), "PUT", "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/s", "system-leader-election"],
    [user("system:kube-scheduler"), "GET", "/api/v1/pods", "kube-scheduler"],
    [user("system:serviceaccount:kube-system:x", "system:serviceaccounts"), "GET", "/api/v1/pods", "kube-system-service-accounts"],
    [user("system:serviceaccount:dev:x", "system:serviceaccounts"), "GET", "/api/v1/pods", "service-accounts"],
    [user("ann"), "GET", "/api/v1/namespaces/dev/pods", "global-default"],
  ];
  for (const [who, method, url, name] of cases)
    assert.equal(matcher.match(who, asked(method, url))?.metadata.name, name, `${who.name} ${url}`);
});

test("seats are dealt by shares, part of them to lend", () => {
  const limits = limitsOf(levels, 600);
  assert.deepEqual(limits.get("workload-low"), {
    isExempt: false,
    seats: 245,
    lendable: 221,
    borrowable: Number.POSITIVE_INFINITY,
    maxRequestSeats: 37,
    queuing: { queues: 128, handSize: 6, queueLengthLimit: 50 },
  });
  assert.partialDeepStrictEqual(limits.get("catch-all"), { isExempt: false, seats: 13, lendable: 0, queuing: undefined });
  assert.equal(limits.get("exempt")?.isExempt, true);
});

test("a hand has different queues, the same for the same flow", () => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 1, max: 128 }), fc.integer({ min: 1, max: 10 }), (flow, queues, size) => {
      const hand = dealHand(flow, queues, size);
      assert.equal(new Set(hand).size, Math.min(size, queues));
      assert.ok(hand.every((index) => index >= 0 && index < queues));
      assert.deepEqual(dealHand(flow, queues, size), hand);
    }),
  );
});

/** One level of two seats for users, and one that may lend it some. */
function small({ lendablePercent = 0, response = "Queue", objects = 0, totalSeats = 4 } = {}) {
  const queuing = { queues: 4, handSize: 1, queueLengthLimit: 2 };
  const level = (name: string, lendable: number): PriorityLevelConfiguration => ({
    metadata: { name, uid: `${name}-uid` },
    spec: {
      type: "Limited",
      limited: {
        nominalConcurrencyShares: 1,
        lendablePercent: lendable,
        limitResponse: { type: response, ...(response === "Queue" ? { queuing } : {}) },
      },
    },
  });
  const schema: FlowSchema = {
    metadata: { name: "all", uid: "schema-uid" },
    spec: {
      priorityLevelConfiguration: { name: "own" },
      distinguisherMethod: { type: "ByUser" },
      rules: [
        {
          subjects: [{ kind: "User", user: { name: "*" } }],
          resourceRules: [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"], namespaces: ["*"], clusterScope: true }],
        },
      ],
    },
  };
  const clock = new VirtualClock();
  const rejections: string[] = [];
  const observer = { dispatched: () => {}, rejected: (...why: string[]) => void rejections.push(String(why[2])) };
  const control = new FlowControl({ clock, observer, totalSeats, sizeOf: () => ({ objects, bytes: objects * 100_000 }) });
  control.configure({ schemas: [schema], levels: [level("own", 0), level("lender", lendablePercent)] });
  const order: string[] = [];
  const cancels = new Map<string, () => void>();
  const enter = (name: string, path = "/api/v1/pods", method = "GET") => {
    const turn = control.enter(user(name), asked(method, path), (cancel) => cancels.set(name, cancel));
    if (turn instanceof Promise)
      turn.then(
        () => order.push(name),
        () => order.push(`${name} rejected`),
      );
    return turn;
  };
  return { control, clock, enter, order, cancels, rejections };
}

test("requests beyond the seats wait, and go on as seats become free", async () => {
  const { enter, order } = small();
  const first = enter("a") as Turn;
  assert.deepEqual([first.schemaUid, first.levelUid], ["schema-uid", "own-uid"]);
  void enter("a");
  const third = enter("b");
  assert.ok(third instanceof Promise);
  first.release();
  first.release();
  await third;
  assert.deepEqual(order, ["b"]);
});

test("a write that many watch keeps its seat until they have been told, one that few watch does not", async () => {
  const { control, clock, enter, order } = small();
  const ends = Array.from({ length: 25 }, () => control.watches.begin(asked("GET", "/api/v1/pods?watch=1")));
  const turns = [enter("a", "/api/v1/namespaces/dev/pods", "POST"), enter("a")] as Turn[];
  const [write, read] = turns;
  void enter("b");
  void enter("b");
  write?.release();
  write?.release();
  await clock.advance(14);
  assert.deepEqual(order, []);
  await clock.advance(1);
  assert.deepEqual(order, ["b"]);
  read?.release();
  for (const end of ends) end();
  await clock.advance(0);
  assert.deepEqual(order, ["b", "b"]);
});

test("a flow that sends much does not keep another from its turn", async () => {
  const { enter, order, clock } = small();
  const turns = [enter("a"), enter("a")] as Turn[];
  // Their hands of one queue differ.
  void enter("a");
  void enter("a");
  void enter("b");
  for (const turn of turns) turn.release();
  await clock.advance(0);
  assert.deepEqual(order.toSorted(), ["a", "b"]);
});

test("a full queue rejects, with a time to come back", async () => {
  const { enter, rejections } = small();
  for (let i = 0; i < 4; i++) void enter("a");
  await assert.rejects(
    async () => enter("a"),
    (error: { status: { code: number; details: object } }) => {
      assert.deepEqual([error.status.code, error.status.details], [429, { retryAfterSeconds: 1 }]);
      return true;
    },
  );
  assert.deepEqual(rejections, ["queue-full"]);
});

test("a level without queues rejects at once", async () => {
  const { enter, rejections } = small({ response: "Reject" });
  void enter("a");
  void enter("a");
  await assert.rejects(async () => enter("a"));
  assert.deepEqual(rejections, ["concurrency-limit"]);
});

test("who waits too long, or for nobody any more, is rejected and leaves its place", async () => {
  const { enter, clock, cancels, order, rejections } = small();
  const [first] = [enter("a") as Turn, enter("a")];
  void enter("b");
  void enter("c");
  cancels.get("b")?.();
  await clock.advance(15_000);
  assert.deepEqual(rejections, ["cancelled", "time-out"]);
  first.release();
  await clock.advance(0);
  assert.deepEqual(order, ["b rejected", "c rejected"]);
});

test("idle seats of another level are borrowed as far as it lends", () => {
  const { enter } = small({ lendablePercent: 50 });
  const turns = [enter("a"), enter("a"), enter("a")];
  assert.ok(turns.every((turn) => !(turn instanceof Promise)));
  assert.ok(enter("a") instanceof Promise);
});

test("a long list takes several seats, and who comes later does not pass it by", async () => {
  const { enter, order, clock, control } = small({ objects: 10, totalSeats: 40 });
  const turns = Array.from({ length: 18 }, () => enter("a", "/api/v1/pods/one") as Turn);
  void enter("list");
  void enter("list", "/api/v1/pods/two");
  turns.pop()?.release();
  await clock.advance(0);
  const own = [...control.levels].find(({ name }) => name === "own");
  assert.deepEqual([own?.executing, own?.inUse, own?.waiting], [18, 20, 1]);
  turns.pop()?.release();
  await clock.advance(0);
  assert.deepEqual(order, ["list", "list"]);
});

test("what is wider than its level goes on alone", async () => {
  const { enter, order, clock } = small({ objects: 3, response: "Reject" });
  const wide = enter("a") as Turn;
  await assert.rejects(async () => enter("a", "/api/v1/pods/one"));
  wide.release();
  assert.ok(!(enter("a", "/api/v1/pods/one") instanceof Promise));
  await clock.advance(0);
  assert.deepEqual(order, ["a rejected"]);
});

test("a schema without its level is marked, once", () => {
  const [schema] = mandatorySchemas;
  assert.ok(schema !== undefined);
  const marked = withDangling(schema, false, 0);
  assert.deepEqual([marked?.status?.conditions?.[0]?.status, marked?.status?.conditions?.[0]?.reason], ["True", "NotFound"]);
  assert.equal(withDangling(marked ?? schema, false, 1), undefined);
});
