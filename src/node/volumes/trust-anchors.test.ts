import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ClusterTrustBundleProjection } from "../../api/types/core/v1.ts";
import { encodePem } from "../../machinery/index.ts";
import { type TrustBundle, trustAnchors } from "./trust-anchors.ts";

const [a, b, c] = ["a", "b", "c"].map((text) => encodePem("CERTIFICATE", Buffer.from(text.repeat(60)))) as [string, string, string];

function bundle(name: string, trustBundle: string, signerName?: string, labels: Record<string, string> = {}): TrustBundle {
  return { metadata: { name, labels }, spec: { trustBundle, ...(signerName !== undefined && { signerName }) } };
}

const bundles = [
  bundle("plain", `words\n${b}${a}`),
  bundle("example.com:s:one", c + a, "example.com/s", { live: "yes" }),
  bundle("example.com:s:two", a + b, "example.com/s", { live: "no" }),
  bundle("example.com:t:one", b, "example.com/t", { live: "yes" }),
];
const anchors = (source: Omit<ClusterTrustBundleProjection, "path">) => trustAnchors(bundles, { path: "ca.pem", ...source });

describe("the trust anchors of a volume", () => {
  it("are those of one bundle by name", () => {
    assert.equal(anchors({ name: "plain" }), a + b);
    assert.throws(() => anchors({ name: "other" }), {
      message: 'while getting ClusterTrustBundle: clustertrustbundle.certificates.k8s.io "other" not found',
    });
    assert.equal(anchors({ name: "other", optional: true }), "");
  });

  it("are those of all chosen bundles of a signer, each once and in order", () => {
    assert.equal(anchors({ signerName: "example.com/s", labelSelector: {} }), a + b + c);
    assert.equal(anchors({ signerName: "example.com/s", labelSelector: { matchLabels: { live: "yes" } } }), a + c);
  });

  it("are none without a selector", () => {
    assert.throws(() => anchors({ signerName: "example.com/s" }), {
      message: "combination of signerName and labelSelector matched zero ClusterTrustBundles",
    });
    assert.equal(anchors({ signerName: "example.com/s", optional: true }), "");
    assert.throws(() => anchors({ signerName: "example.com/none", labelSelector: {} }), /matched zero/);
  });
});
