// Small languages in fields and queries: selectors, quantities, CEL, schedules, paths, URLs, tokens of lists.
import assert from "node:assert/strict";
import { acceptClauses } from "../../../../src/apiserver/front/negotiation.ts";
import { listOptions, watchOptions, writeOptions } from "../../../../src/apiserver/front/options.ts";
import { parseRequest } from "../../../../src/apiserver/front/request-info.ts";
import { decodeContinue, encodeContinue } from "../../../../src/apiserver/registry/continue-token.ts";
import { parseSchedule } from "../../../../src/controllers/cronjob/schedule.ts";
import {
  CelCompileError,
  CelEnvironment,
  CelEvaluationError,
  compileJsonPath,
  JsonPathError,
  parseFieldSelector,
  parseLabelSelector,
  parseQuantity,
  QuantityError,
  SelectorError,
  StatusError,
} from "../../../../src/machinery/index.ts";
import { type FuzzTarget, neverThrows } from "../target.ts";

const cel = new CelEnvironment({ variables: { self: "dyn", name: "string" } });

function onText(run: (text: string) => void): (input: Buffer) => void {
  return (input) => run(input.toString("utf8"));
}

export const textTargets: readonly FuzzTarget[] = [
  {
    name: "label-selector",
    corpus: ["app=web,tier in (a,b),!x,y notin (),n>5", "example.com/a==b,z"],
    words: [" in ", " notin ", "(", ")", ",", "!", "!=", "==", ">"],
    run: onText((text) => {
      const selector = parseLabelSelector(text);
      assert.equal(parseLabelSelector(selector.toString()).toString(), selector.toString());
    }),
    isRefusal: (error) => error instanceof SelectorError,
  },
  {
    name: "field-selector",
    corpus: ["metadata.name=a,spec.nodeName!=b", "a==b\\,\\=\\\\"],
    words: ["\\", "\\,", "=", "!=", ","],
    run: onText((text) => {
      const { terms } = parseFieldSelector(text);
      assert.deepEqual(parseFieldSelector(parseFieldSelector(text).toString()).terms, terms);
    }),
    isRefusal: (error) => error instanceof SelectorError,
  },
  {
    name: "quantity",
    corpus: ["1", "-250m", "1.5Gi", "0.000000001", "12e-3", "1E"],
    words: ["Ki", "m", "e99999", "e-99999", ".", "+", "E"],
    run: onText((text) => {
      const quantity = parseQuantity(text);
      assert.equal(parseQuantity(quantity.toString()).nanoValue(), quantity.nanoValue());
    }),
    isRefusal: (error) => error instanceof QuantityError,
  },
  {
    name: "cel",
    corpus: [
      'self.all(x, x.name.matches("^a+$") && x.size() > 2u)',
      "has(self.a) ? [1, 2.5, -3].map(x, x * 2) : {'a': b'\\x00', \"b\": r'\\'}",
      "duration('1h').getSeconds() == int(name) || quantity(name).isGreaterThan(quantity('1Mi'))",
    ],
    words: ["self", ".?a", ".map(x, ", "(", "[", "{", "?", ":", "'''", "-", "!", "9223372036854775808", "name + name"],
    run: onText((text) => cel.compile(text).evaluate({ self: [{ name: "aa" }], name: "n" }, { costLimit: 100_000 })),
    isRefusal: (error) => error instanceof CelCompileError || error instanceof CelEvaluationError,
  },
  {
    name: "json-path",
    corpus: [".spec.replicas", ".a[0].b['x.y']", '.status.conditions[?(@.type=="Ready")].status'],
    words: ["[", "]", "?(", "@", "..", "*", "'"],
    run: onText((text) => compileJsonPath(text)),
    isRefusal: (error) => error instanceof JsonPathError,
  },
  {
    name: "schedule",
    corpus: ["*/5 0-23 1,15 jan-dec mon", "@every 1h30m", "@daily", "0 0 31 2 ?"],
    words: ["*/", "-", ",", "@", "L", "#", "99", "?"],
    run: onText((text) => parseSchedule(text)),
    // The library's errors have no type; all of them become a message about the field.
    isRefusal: (error) => error instanceof Error && !(error instanceof assert.AssertionError),
  },
  {
    name: "url",
    corpus: ["/api/v1/namespaces/a/pods/b/log?limit=5&labelSelector=a%3Db", "/apis/apps/v1/watch/deployments?watch=1&dryRun=All", "/%zz"],
    words: ["%", "%2f", "..", "//", "?", "&", "=", "namespaces", "watch"],
    run: onText((text) => {
      const info = parseRequest("GET", text);
      if (info === undefined) return;
      listOptions(info.query);
      watchOptions(info.query, info.name);
      writeOptions(info.query, "CreateOptions");
    }),
    isRefusal: (error) => error instanceof StatusError && (error.status.code ?? 500) < 500,
  },
  {
    name: "accept",
    corpus: ["application/json;as=Table;v=v1;g=meta.k8s.io,application/json;q=0.5,*/*"],
    words: [";", ",", "=", "q=", '"'],
    run: onText((text) => acceptClauses(text)),
    isRefusal: neverThrows,
  },
  {
    name: "continue",
    corpus: [encodeContinue({ revision: 7, after: "default/a" }), encodeContinue({ revision: undefined, after: "" }), "bnVsbA", "W10"],
    run: onText((text) => {
      const again = encodeContinue(decodeContinue(text));
      assert.equal(encodeContinue(decodeContinue(again)), again);
    }),
    isRefusal: (error) => error instanceof StatusError && error.status.code === 400,
  },
];
