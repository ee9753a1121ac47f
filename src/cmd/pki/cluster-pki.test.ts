import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { VirtualClock } from "../../base/index.ts";
import { DEFAULT_SPEC, nodesOf } from "../config/cluster.ts";
import { ensureClusterPki } from "./cluster-pki.ts";

const DAY_MS = 24 * 3_600_000;

function scratch(): { readonly directory: string } & Disposable {
  const directory = mkdtempSync(join(tmpdir(), "k8ts-pki-"));
  return { directory, [Symbol.dispose]: () => rmSync(directory, { recursive: true }) };
}

const certificateOf = (file: string) => new X509Certificate(readFileSync(file));

test("the API server's certificate names every way to reach it, and the authority signed it", async () => {
  using dir = scratch();
  const clock = new VirtualClock();
  const pki = await ensureClusterPki({ directory: dir.directory, spec: DEFAULT_SPEC, nodes: nodesOf(DEFAULT_SPEC), clock });
  const serving = certificateOf(pki.serving.certificateFile);
  for (const name of ["kubernetes", "kubernetes.default.svc.cluster.local", "localhost"]) assert.equal(serving.checkHost(name), name);
  for (const address of ["127.0.0.1", "10.96.0.1", "10.199.0.1"]) assert.equal(serving.checkIP(address), address);
  assert.ok(serving.verify(certificateOf(pki.caFile).publicKey));
  assert.ok(Date.parse(serving.validFrom) <= clock.now() - 3_600_000 + 1000);
});

test("clients are who upstream says they are, and keys are for root only", async () => {
  using dir = scratch();
  const pki = await ensureClusterPki({
    directory: dir.directory,
    spec: DEFAULT_SPEC,
    nodes: nodesOf(DEFAULT_SPEC),
    clock: new VirtualClock(),
  });
  assert.equal(certificateOf(pki.admin.certificateFile).subject, "O=system:masters\nCN=kubernetes-admin");
  const node = pki.nodes["node-1"];
  assert.ok(node !== undefined);
  assert.equal(certificateOf(node.client.certificateFile).subject, "O=system:nodes\nCN=system:node:node-1");
  const proxy = certificateOf(pki.frontProxyClient.certificateFile);
  assert.equal(proxy.subject, "CN=front-proxy-client");
  assert.ok(proxy.verify(certificateOf(pki.frontProxyCaFile).publicKey));
  assert.equal(statSync(pki.caKeyFile).mode & 0o777, 0o600);
});

test("certificates are kept until thirty days before their end, the authority for longer", async () => {
  using dir = scratch();
  const clock = new VirtualClock();
  const options = { directory: dir.directory, spec: DEFAULT_SPEC, nodes: nodesOf(DEFAULT_SPEC), clock };
  const pki = await ensureClusterPki(options);
  const read = () => [pki.admin.certificateFile, pki.caFile, pki.serviceAccountKeyFile].map((file) => readFileSync(file, "utf8"));
  const first = read();
  await clock.advance(300 * DAY_MS);
  await ensureClusterPki(options);
  assert.deepEqual(read(), first);
  await clock.advance(40 * DAY_MS);
  await ensureClusterPki(options);
  const second = read();
  assert.notEqual(second[0], first[0]);
  assert.deepEqual(second.slice(1), first.slice(1));
});

test("the serving certificate is issued again when it must name another address", async () => {
  using dir = scratch();
  const clock = new VirtualClock();
  const options = { directory: dir.directory, spec: DEFAULT_SPEC, nodes: nodesOf(DEFAULT_SPEC), clock };
  const pki = await ensureClusterPki(options);
  const admin = readFileSync(pki.admin.certificateFile, "utf8");
  const spec = { ...DEFAULT_SPEC, serviceNetwork: "10.97.0.0/16" };
  await ensureClusterPki({ ...options, spec });
  assert.equal(certificateOf(pki.serving.certificateFile).checkIP("10.97.0.1"), "10.97.0.1");
  assert.equal(readFileSync(pki.admin.certificateFile, "utf8"), admin);
});
