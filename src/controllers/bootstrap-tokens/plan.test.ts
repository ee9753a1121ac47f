import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { describe, it } from "node:test";
import type { Secret } from "../../api/types/core/v1.ts";
import { detachedSignature, expiresAtMs, signedData, signingToken } from "./plan.ts";

function token(data: Record<string, string> = {}, name = "bootstrap-token-abcdef"): Secret {
  const usual = { "token-id": "abcdef", "token-secret": "0123456789abcdef", "usage-bootstrap-signing": "true" };
  const encoded = Object.entries({ ...usual, ...data }).map(([key, value]) => [key, Buffer.from(value).toString("base64")]);
  return { metadata: { name, namespace: "kube-system" }, type: "bootstrap.kubernetes.io/token", data: Object.fromEntries(encoded) };
}

const NOW = Date.parse("2026-01-01T00:00:00Z");
const abcdef = { id: "abcdef", secret: "0123456789abcdef" };

describe("a bootstrap token", () => {
  it("signs when it may, holds and is whole", () => {
    assert.deepEqual(signingToken(token(), NOW), abcdef);
    assert.deepEqual(signingToken(token({ expiration: "2026-01-01T00:00:01Z" }), NOW), abcdef);
    assert.equal(signingToken(token({ expiration: "2026-01-01T00:00:00Z" }), NOW), undefined);
    assert.equal(signingToken(token({ "usage-bootstrap-signing": "false" }), NOW), undefined);
    assert.equal(signingToken(token({}, "bootstrap-token-other1"), NOW), undefined);
    assert.equal(signingToken({ ...token(), type: "Opaque" }, NOW), undefined);
  });

  it("whose end cannot be read has ended", () => {
    assert.equal(expiresAtMs(token()), undefined);
    assert.equal(expiresAtMs(token({ expiration: "tomorrow" })), 0);
  });
});

describe("cluster-info", () => {
  it("is signed once for each token, with its content left out", () => {
    const signature = detachedSignature("content", abcdef);
    const [header = "", payload, mac] = signature.split(".");
    assert.deepEqual(JSON.parse(Buffer.from(header, "base64url").toString()), { alg: "HS256", kid: "abcdef" });
    assert.equal(payload, "");
    const signed = `${header}.${Buffer.from("content").toString("base64url")}`;
    assert.equal(mac, createHmac("sha256", "abcdef.0123456789abcdef").update(signed).digest("base64url"));
  });

  it("loses the signatures of tokens that are gone, and is left alone when it is right", () => {
    const info = { metadata: {}, data: { kubeconfig: "content", "jws-kubeconfig-gone12": "x", other: "kept" } };
    const data = signedData(info, [abcdef]);
    assert.deepEqual(data, { kubeconfig: "content", other: "kept", "jws-kubeconfig-abcdef": detachedSignature("content", abcdef) });
    assert.equal(signedData({ metadata: {}, data }, [abcdef]), undefined);
    assert.equal(signedData({ metadata: {}, data: {} }, [abcdef]), undefined);
  });
});
