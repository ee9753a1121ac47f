import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fieldErrorMessage } from "../../../machinery/index.ts";
import type { ClusterTrustBundleProjection, Pod, PodCertificateProjection, VolumeProjection } from "../../types/core/v1.ts";
import { podStrategy } from "../pod.ts";

function podWith(sources: VolumeProjection[]): Pod {
  const volumes = [{ name: "v", projected: { sources } }];
  const pod: Pod = { metadata: { name: "p" }, spec: { containers: [{ name: "c", image: "i" }], volumes } };
  podStrategy.applyDefaults?.(pod);
  return pod;
}

const at = "spec.volumes[0].projected";
const errorsOf = (...sources: VolumeProjection[]) =>
  (podStrategy.validate?.(podWith(sources)) ?? []).map((error) => fieldErrorMessage(error).replace(`${at}.sources[0].`, ""));

describe("a projected ClusterTrustBundle", () => {
  const bundleErrors = (source: Partial<ClusterTrustBundleProjection>) => errorsOf({ clusterTrustBundle: { path: "ca.pem", ...source } });

  it("is chosen by name, or by signer and labels", () => {
    assert.deepEqual(bundleErrors({ name: "b" }), []);
    assert.deepEqual(bundleErrors({ name: "example.com:s:b" }), []);
    assert.deepEqual(bundleErrors({ signerName: "example.com/s", labelSelector: {} }), []);
    assert.deepEqual(bundleErrors({}), ["clusterTrustBundle: Required value: either name or signerName must be specified"]);
    assert.match(bundleErrors({ name: "b", signerName: "example.com/s" })[0] ?? "", /: only one of name and signerName may be used$/);
    assert.match(bundleErrors({ name: "b", labelSelector: {} })[0] ?? "", /: labelSelector must be unset if name is specified$/);
    assert.match(bundleErrors({ name: "B" })[0] ?? "", /clusterTrustBundle.name: .* not a valid clustertrustbundlename: /);
    assert.match(bundleErrors({ signerName: "s" })[0] ?? "", /clusterTrustBundle.signerName: .* must be a fully qualified domain and path/);
  });

  it("stands at a path within the volume", () => {
    assert.deepEqual(bundleErrors({ name: "b", path: "" }), ["clusterTrustBundle.path: Required value"]);
    assert.equal(bundleErrors({ name: "b", path: "../x" }).length, 1);
  });
});

describe("a projected certificate", () => {
  const certificateErrors = (source: Partial<PodCertificateProjection>) =>
    errorsOf({ podCertificate: { signerName: "example.com/s", keyType: "ED25519", credentialBundlePath: "all.pem", ...source } });

  it("lives a day if nothing is said, an hour to ninety-one days otherwise", () => {
    const [source] =
      podWith([{ podCertificate: { signerName: "example.com/s", keyType: "ED25519", keyPath: "k" } }]).spec?.volumes?.[0]?.projected
        ?.sources ?? [];
    assert.equal(source?.podCertificate?.maxExpirationSeconds, 86_400);
    assert.deepEqual(certificateErrors({ maxExpirationSeconds: 3_600 }), []);
    assert.deepEqual(certificateErrors({ maxExpirationSeconds: 3_599 }), [
      "podCertificate.maxExpirationSeconds: Invalid value: 3599: if provided, maxExpirationSeconds must be >= 3600",
    ]);
    assert.deepEqual(certificateErrors({ maxExpirationSeconds: 7_862_401 }), [
      "podCertificate.maxExpirationSeconds: Invalid value: 7862401: if provided, maxExpirationSeconds must be <= 7862400",
    ]);
  });

  it("is for a key of a known type, and stands somewhere", () => {
    assert.match(certificateErrors({ keyType: "RSA2048" })[0] ?? "", /podCertificate.keyType: Unsupported value: "RSA2048"/);
    assert.deepEqual(certificateErrors({ credentialBundlePath: "" }), [
      "podCertificate: Required value: specify at least one of credentialBundlePath, keyPath, and certificateChainPath",
    ]);
    assert.deepEqual(certificateErrors({ userAnnotations: { plain: "x" } }).length, 1);
  });
});

it("no two projected sources write the same file", () => {
  const token = { serviceAccountToken: { path: "same" } };
  assert.deepEqual(errorsOf(token, { clusterTrustBundle: { name: "b", path: "same" } }), [
    `${at}: Invalid value: "same": conflicting duplicate paths`,
  ]);
});
