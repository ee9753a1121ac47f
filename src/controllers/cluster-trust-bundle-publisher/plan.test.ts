import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { encodePem } from "../../machinery/index.ts";
import { planServingBundle } from "./plan.ts";

const [one, two] = [1, 2].map((byte) => encodePem("CERTIFICATE", Buffer.alloc(50, byte))) as [string, string];
const bundleOf = (caPem: string) => planServingBundle(caPem, []).create ?? assert.fail("nothing to create");

describe("the bundle of the API server's authority", () => {
  it("has a name for each content", () => {
    const { metadata, spec } = bundleOf(one);
    assert.match(metadata.name ?? "", /^kubernetes\.io:kube-apiserver-serving:[0-9a-f]{24}$/);
    assert.deepEqual(spec, { signerName: "kubernetes.io/kube-apiserver-serving", trustBundle: one });
    assert.notEqual(bundleOf(two).metadata.name, metadata.name);
  });

  it("replaces those of earlier authorities, and leaves other signers' alone", () => {
    const other = { metadata: { name: "example.com:s:x" }, spec: { signerName: "example.com/s", trustBundle: one } };
    const old = bundleOf(one);
    const { create, remove } = planServingBundle(two, [old, other]);
    assert.deepEqual(create, bundleOf(two));
    assert.deepEqual(remove, [old.metadata.name]);
    assert.deepEqual(planServingBundle(one, [old, other]), { remove: [] });
  });

  it("is put right when someone has changed it", () => {
    const changed = { ...bundleOf(one), spec: { ...bundleOf(one).spec, trustBundle: two } };
    assert.deepEqual(planServingBundle(one, [changed]).update?.spec.trustBundle, one);
  });

  it("does not exist without a certificate", () => {
    assert.deepEqual(planServingBundle("", []), { remove: [] });
  });
});
