import assert from "node:assert/strict";
import { test } from "node:test";
import { resources } from "../../api/index.ts";
import { SeededRandom, silentLogger, VirtualClock } from "../../base/index.ts";
import { SharedInformers } from "../../client/index.ts";
import { encodePem } from "../../machinery/index.ts";
import { FakeClient } from "../fake-client.fixture.ts";
import { TrustBundles } from "./trust-bundles.ts";

const pem = (text: string) => encodePem("CERTIFICATE", Buffer.from(text));
const bundle = (name: string, text: string) => ({ metadata: { name }, spec: { trustBundle: pem(text) } });

test("pods are told of changes of the bundles that they show, and of no others", async () => {
  const clock = new VirtualClock();
  const client = new FakeClient(() => clock.now());
  const informers = new SharedInformers({ client, clock, random: new SeededRandom(1), logger: silentLogger });
  const bundles = new TrustBundles(informers);
  const stop = new AbortController();
  const changed: string[] = [];
  bundles.start({ signal: stop.signal, onChange: (uid) => changed.push(uid), warn: () => {} });
  const one = await client.create(resources.clustertrustbundles, bundle("one", "1"));
  await client.create(resources.clustertrustbundles, bundle("two", "2"));
  const [first] = await Promise.all([bundles.anchors("pod-1", { name: "one", path: "p" }), clock.advance(10)]);
  assert.equal(first, pem("1"));
  assert.equal(await bundles.anchors("pod-2", { name: "two", path: "p" }), pem("2"));
  await client.update(resources.clustertrustbundles, { ...one, spec: { trustBundle: pem("changed") } });
  await clock.advance(10);
  assert.deepEqual(changed, ["pod-1"]);
  assert.equal(await bundles.anchors("pod-1", { name: "one", path: "p" }), pem("changed"));
  bundles.forget("pod-2");
  await client.delete(resources.clustertrustbundles, "two");
  await clock.advance(10);
  assert.deepEqual(changed, ["pod-1"]);
  stop.abort();
});
