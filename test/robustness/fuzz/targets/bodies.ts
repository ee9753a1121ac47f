// Bodies of requests, in all forms that they come in.
import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { typeFacts } from "../../../../src/api/index.ts";
import { readObject } from "../../../../src/apiserver/front/body.ts";
import { encodeCbor } from "../../../../src/apiserver/front/cbor.ts";
import type { FrontRequest } from "../../../../src/apiserver/front/exchange.ts";
import { encodeEnvelope, encodeMessage, StatusError } from "../../../../src/machinery/index.ts";
import type { FuzzTarget } from "../target.ts";

const facts = typeFacts("core.v1.Pod");
const pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "a", labels: { app: "é" }, creationTimestamp: "2026-01-01T00:00:00Z" },
  spec: {
    containers: [{ name: "c", image: "busybox", resources: { limits: { cpu: "250m" } }, livenessProbe: { httpGet: { port: 80 } } }],
    tolerations: [{ operator: "Exists", tolerationSeconds: 30 }],
  },
};
const json = JSON.stringify(pod);
const yaml =
  "apiVersion: v1\nkind: Pod\nmetadata: &m\n  name: a\n  annotations: {t: |-\n    text\n  }\nspec:\n  containers:\n  - *m\n  - <<: *m\n";

function requestOf(type: string, body: Buffer): FrontRequest {
  return Object.assign(Readable.from([body], { objectMode: false }), { headers: { "content-type": type } }) as unknown as FrontRequest;
}

function read(type: string, body: Buffer) {
  return readObject(requestOf(type, body), { typeOf: () => facts, detectsDuplicates: true });
}

/** A refusal that blames the client; an internal error blames nobody. */
function isBadRequest(error: unknown): boolean {
  return error instanceof StatusError && (error.status.code ?? 500) < 500;
}

export const bodyTargets: readonly FuzzTarget[] = [
  {
    name: "json",
    corpus: [json, '{"a":1,"a":{"b":[1,2],"b":"\\ud83d\\u0000"}}', '{"__proto__":{"x":1e400}}'],
    words: ['"a":', "[", "{", "\\u", '"__proto__":', "1e999", ","],
    run: async (input) => {
      const body = await read("application/json", input);
      if (body !== undefined) assert.deepEqual(body.object, JSON.parse(input.toString("utf8")));
    },
    isRefusal: isBadRequest,
  },
  {
    name: "yaml",
    corpus: [yaml, json, "a: !!binary aGk=\nb: 2026-01-01\n? [x]\n: y\n"],
    words: ["&m ", "*m", "<<: ", "!!map ", "\n- ", "---\n", "# ", ": ", "{", "["],
    run: (input) => read("application/yaml", input),
    isRefusal: isBadRequest,
  },
  {
    name: "cbor",
    corpus: [
      encodeCbor(pod),
      encodeCbor({ a: [1, -1, 1.5, null, true, 2 ** 40] }),
      Buffer.from("a1414101", "hex"),
      Buffer.from(`${"d9d9f7".repeat(400)}f6`, "hex"),
    ],
    words: ["\xd9\xd9\xf7", "\xf6", "\xf7", "\xd5", "\x9f", "\xff", "\xa1"],
    run: (input) => read("application/cbor", input),
    isRefusal: isBadRequest,
  },
  {
    name: "protobuf",
    corpus: [encodeEnvelope("v1", "Pod", encodeMessage(pod, facts))],
    words: ["k8s\0", "\x0a", "\x12", "\x80\x80"],
    run: async (input) => {
      const body = await read("application/vnd.kubernetes.protobuf", input);
      if (body !== undefined) encodeMessage(body.object, facts);
    },
    isRefusal: isBadRequest,
  },
];
