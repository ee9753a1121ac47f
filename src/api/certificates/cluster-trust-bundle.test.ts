import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { encodePem, fieldErrorMessage } from "../../machinery/index.ts";
import { TestAuthority } from "../../machinery/x509/test-authority.fixture.ts";
import type { ClusterTrustBundle } from "../types/certificates/v1beta1.ts";
import { clusterTrustBundleStrategy as strategy } from "./cluster-trust-bundle.ts";

const [one, two] = [await TestAuthority.make("CN=one"), await TestAuthority.make("CN=two")];
const leaf = await TestAuthority.make("CN=leaf", { isAuthority: false });

const bundle = (name: string, spec: Partial<ClusterTrustBundle["spec"]> = {}): ClusterTrustBundle => ({
  metadata: { name },
  spec: { trustBundle: one.pem, ...spec },
});
const errorsOf = (object: ClusterTrustBundle, old?: ClusterTrustBundle) =>
  (strategy.validate?.(object, old) ?? []).map((error) => fieldErrorMessage(error));

describe("a ClusterTrustBundle", () => {
  it("is named after its signer, if it has one", () => {
    assert.deepEqual(errorsOf(bundle("plain")), []);
    assert.deepEqual(errorsOf(bundle("example.com:s:v1", { signerName: "example.com/s" })), []);
    assert.deepEqual(errorsOf(bundle("example.com:s:v1")), [
      'metadata.name: Invalid value: "example.com:s:v1": ClusterTrustBundle without signer name must not have ":" in its name',
    ]);
    assert.deepEqual(errorsOf(bundle("plain", { signerName: "example.com/s" })), [
      'metadata.name: Invalid value: "plain": ClusterTrustBundle for signerName example.com/s must be named with prefix example.com:s:',
    ]);
  });

  it("has a signer with a domain and a path", () => {
    const signerErrors = (signerName: string) => {
      const name = `${signerName.replaceAll("/", ":")}:x`;
      return errorsOf(bundle(name, { signerName })).filter((text) => text.startsWith("spec.signerName"));
    };
    assert.match(signerErrors("example.com")[0] ?? "", /must be a fully qualified domain and path of the form 'example.com\/signer-name'/);
    assert.match(signerErrors("example/s")[0] ?? "", /should be a domain with at least two segments separated by dots/);
    assert.match(signerErrors("Example.com/s")[0] ?? "", /validating label "Example"/);
  });

  it("consists of different certificates of authorities", () => {
    const trustErrors = (trustBundle: string) => errorsOf(bundle("b", { trustBundle }));
    const invalid = (detail: string) => [`spec.trustBundle: Invalid value: "<value omitted>": ${detail}`];
    assert.deepEqual(trustErrors(`some words\n${one.pem}\n${two.pem}`), []);
    assert.deepEqual(trustErrors(""), invalid("at least one trust anchor must be provided"));
    assert.deepEqual(trustErrors(one.pem + two.pem + one.pem), invalid("duplicate trust anchor (indices [0 2])"));
    assert.deepEqual(trustErrors(one.pem + leaf.pem), invalid("entry 1 does not have the CA bit set"));
    assert.deepEqual(trustErrors(encodePem("CERTIFICATE", Buffer.from("x"))), invalid("entry 0 does not parse as X.509"));
    assert.deepEqual(trustErrors(encodePem("PRIVATE KEY", Buffer.from("x"))), invalid("entry 0 has bad block type: PRIVATE KEY"));
    assert.deepEqual(trustErrors(one.pem.replace("-----\n", "-----\nkey: value\n\n")), invalid("entry 0 has PEM block headers"));
    assert.deepEqual(trustErrors("#".repeat(1024 * 1024 + 1)), ["spec.trustBundle: Too long: may not be more than 1048576 bytes"]);
  });

  it("keeps its signer, and what it once could be read as", () => {
    const unreadable = bundle("b", { trustBundle: "gibberish" });
    assert.deepEqual(errorsOf(unreadable, unreadable), []);
    const changed = strategy.validateUpdate?.(bundle("b", { signerName: "example.com/t" }), bundle("b")) ?? [];
    assert.deepEqual(
      changed.map((error) => fieldErrorMessage(error)),
      ['spec.signerName: Invalid value: "example.com/t": field is immutable'],
    );
  });
});
