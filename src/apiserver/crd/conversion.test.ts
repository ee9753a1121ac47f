import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRandom } from "../../base/index.ts";
import type { KubeObject } from "../../machinery/index.ts";
import { Converter } from "./conversion.ts";

type Custom = KubeObject & Record<string, unknown>;
interface Review {
  readonly request: { readonly uid: string; readonly desiredAPIVersion: string; readonly objects: readonly Custom[] };
}

const object = (name: string): Custom => ({
  apiVersion: "x.com/v1",
  kind: "Tab",
  metadata: { name, uid: `uid-${name}`, labels: { a: "b" } },
  host: "h:1",
});
const conversion = { strategy: "Webhook", webhook: { clientConfig: { url: "https://hook" }, conversionReviewVersions: ["v1"] } };

function setUp(answer: (review: Review) => unknown) {
  const calls: Review[] = [];
  const call = (_config: unknown, body: unknown) => {
    calls.push(body as Review);
    return Promise.resolve(answer(body as Review));
  };
  const converter = new Converter({ conversion, kind: "Tab", group: "x.com", webhooks: { call }, random: new SeededRandom(1) });
  return { calls, converter };
}

const splitHost = ({ request: { uid, objects, desiredAPIVersion } }: Review) => ({
  response: {
    uid,
    result: { status: "Success" },
    convertedObjects: objects.map(({ host, ...rest }) => ({ ...rest, apiVersion: desiredAPIVersion, hostPort: String(host).split(":") })),
  },
});

test("without a webhook only the version changes, at once", () => {
  const converter = new Converter({
    conversion: { strategy: "None" },
    kind: "Tab",
    group: "x.com",
    webhooks: undefined,
    random: new SeededRandom(1),
  });
  const one = object("a");
  assert.equal(converter.convert(one, "x.com/v1"), one);
  assert.deepEqual(converter.convert(one, "x.com/v2"), { ...one, apiVersion: "x.com/v2" });
});

test("a webhook is asked once for all objects of the moment", async () => {
  const { calls, converter } = setUp(splitHost);
  const converted = await Promise.all([converter.convert(object("a"), "x.com/v2"), converter.convert(object("b"), "x.com/v2")]);
  assert.deepEqual(
    converted.map((each) => [each.apiVersion, each.metadata.name, (each as Custom)["hostPort"]]),
    [
      ["x.com/v2", "a", ["h", "1"]],
      ["x.com/v2", "b", ["h", "1"]],
    ],
  );
  assert.equal(calls.length, 1);
  assert.equal(calls[0]?.request.desiredAPIVersion, "x.com/v2");
});

test("of the metadata a webhook may change labels and annotations only", async () => {
  const { converter } = setUp((review) => {
    const answer = splitHost(review);
    const [first] = answer.response.convertedObjects;
    if (first !== undefined) first.metadata = { ...first.metadata, labels: { c: "d" }, finalizers: ["mine"] };
    return answer;
  });
  const converted = await converter.convert(object("a"), "x.com/v2");
  assert.deepEqual(converted.metadata, { name: "a", uid: "uid-a", labels: { c: "d" } });
});

test("a webhook that answers nonsense is told of with the kind", async () => {
  const failures: readonly (readonly [(review: Review) => unknown, RegExp])[] = [
    [() => ({}), /conversion webhook for x.com\/v1, Kind=Tab failed: no response provided/],
    [() => ({ response: { uid: "other", result: { status: "Success" } } }), /expected response.uid=/],
    [({ request: { uid } }) => ({ response: { uid, result: { status: "Failure", message: "cannot" } } }), /failed: cannot/],
    [
      ({ request: { uid } }) => ({ response: { uid, result: { status: "Success" }, convertedObjects: [] } }),
      /webhook returned 0 objects, expected 1/,
    ],
    [
      ({ request: { uid } }) => ({ response: { uid, result: { status: "Success" }, convertedObjects: [object("a")] } }),
      /invalid groupVersion x.com\/v1, expected x.com\/v2/,
    ],
  ];
  for (const [answer, message] of failures)
    await assert.rejects(async () => setUp(answer).converter.convert(object("a"), "x.com/v2"), message);
});
