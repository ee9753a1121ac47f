// Files and values that others may have written or damaged: credentials, logs, snapshots, stored values, resolv.conf.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { unverifiedIssuer } from "../../../../src/apiserver/authn/index.ts";
import { fromKubeconfig, KubeconfigError, parseKubeconfig } from "../../../../src/client/index.ts";
import { SnapshotError } from "../../../../src/cmd/snapshot/archive.ts";
import { parseEntries } from "../../../../src/cmd/snapshot/entries.ts";
import { encodePem, pemBlocks, readPkcs10, writePkcs10 } from "../../../../src/machinery/index.ts";
import { parseNameservers } from "../../../../src/network/dns/upstreams.ts";
import { LogSelector } from "../../../../src/node/logs/log-line.ts";
import { AesGcmCipher } from "../../../../src/storage/index.ts";
import { type FuzzTarget, neverThrows } from "../target.ts";

const { privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
const edwards = generateKeyPairSync("ed25519").privateKey;
const cipher = new AesGcmCipher({ keyName: "k", key: Buffer.alloc(32, 1), randomBytes: (count) => Buffer.alloc(count, 2) });
const sealed = cipher.seal("/a", Buffer.from('{"kind":"Secret"}'));

async function* linesOf(input: Buffer): AsyncIterable<string> {
  yield* input.toString("utf8").split("\n");
}

export const fileTargets: readonly FuzzTarget[] = [
  {
    name: "pem",
    corpus: [encodePem("CERTIFICATE", Buffer.alloc(100, 7)), "x\n-----BEGIN A-----\nK: v\n\nAAAA\n-----END A-----"],
    words: ["-----BEGIN ", "-----END ", "-----", "\n", ": "],
    run: (input) => {
      for (const { type, der } of pemBlocks(input.toString("utf8"))) assert.deepEqual(pemBlocks(encodePem(type, der))[0]?.der, der);
    },
    isRefusal: neverThrows,
  },
  {
    name: "pkcs10",
    corpus: [writePkcs10(privateKey), writePkcs10(edwards)],
    run: (input) => readPkcs10(input),
    isRefusal: neverThrows,
  },
  {
    name: "jwt",
    corpus: ["eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJhIn0.c2ln", "a.bnVsbA.c"],
    words: [".", "=", "e30"],
    run: (input) => unverifiedIssuer(input.toString("latin1")),
    isRefusal: neverThrows,
  },
  {
    name: "kubeconfig",
    corpus: [
      "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\nclusters: [{name: k, cluster: {server: 'https://a:1'}}]\nusers: [{name: u, user: {token: t}}]\n",
    ],
    words: ["null", "[]", "{}", ": ", "- ", "&a ", "*a", "1"],
    run: (input) => fromKubeconfig(parseKubeconfig(input.toString("utf8"))),
    isRefusal: (error) => error instanceof KubeconfigError,
  },
  {
    name: "log-line",
    corpus: ["2026-01-01T00:00:00.5Z stdout F text", "2026-01-01T00:00:00Z stderr P:x "],
    words: [" ", "stdout", "P", ":"],
    run: (input) => {
      const shown = new LogSelector({ timestamps: true, sinceMs: 0, limitBytes: 10 }).select(input);
      assert((shown?.length ?? 0) <= 10);
    },
    isRefusal: neverThrows,
  },
  {
    name: "snapshot-entries",
    corpus: [
      '{"key":"/a","value":"e30=","createRevision":1,"modRevision":2}\n{"key":"/b","value":"","createRevision":3,"modRevision":3}\n',
    ],
    words: ["null", "[]", "-1", "1e99", "\n"],
    run: async (input) => {
      for await (const { key, modRevision } of parseEntries(linesOf(input))) assert(key.startsWith("/") && modRevision > 0);
    },
    isRefusal: (error) => error instanceof SnapshotError,
  },
  {
    name: "sealed-value",
    corpus: [sealed],
    run: (input) => {
      if (!input.subarray(0, cipher.prefix.length).equals(cipher.prefix)) return;
      const plain = cipher.open("/a", input);
      assert(input.equals(sealed), `took changed bytes for ${Buffer.from(plain).toString("utf8")}`);
    },
    isRefusal: (error) => error instanceof Error && !(error instanceof assert.AssertionError),
  },
  {
    name: "resolv-conf",
    corpus: ["nameserver 10.0.0.1\nsearch a b\n# nameserver x\n"],
    run: (input) => parseNameservers(input.toString("utf8")),
    isRefusal: neverThrows,
  },
];
