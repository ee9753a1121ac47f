import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { keptUntilMs } from "./lifetime.ts";
import { approvalsFor, CLIENT_SIGNER, KUBELET_CLIENT_SIGNER, KUBELET_SERVING_SIGNER, signingProblem } from "./rules.ts";
import type { CertificateRequest } from "./signer.ts";

const request = (options: Partial<CertificateRequest> = {}): CertificateRequest => ({
  commonName: "system:node:n",
  organizations: ["system:nodes"],
  dnsNames: [],
  ipAddresses: [],
  emailAddresses: [],
  uris: [],
  ...options,
});
const client = ["digital signature", "client auth"];
const serving = ["digital signature", "server auth"];

describe("the built-in signers", () => {
  it("sign clients of the API server for client usages only", () => {
    assert.equal(signingProblem(CLIENT_SIGNER, request({ commonName: "anyone", organizations: [] }), client), undefined);
    assert.equal(signingProblem(CLIENT_SIGNER, request(), ["client auth", "server auth"]), "usages did not match expected");
    assert.equal(signingProblem(CLIENT_SIGNER, request(), ["digital signature"]), "usages did not match expected");
  });

  it("sign kubelets' clients in a node's name, without other names", () => {
    const problem = (options: Partial<CertificateRequest>, usages = client) =>
      signingProblem(KUBELET_CLIENT_SIGNER, request(options), usages);
    assert.equal(problem({}), undefined);
    assert.match(problem({ organizations: ["system:nodes", "system:masters"] }) ?? "", /organization/);
    assert.match(problem({ commonName: "system:node:" }) ?? "", /common name/);
    assert.match(problem({ dnsNames: ["n"] }) ?? "", /DNS/);
    assert.match(problem({}, serving) ?? "", /usages/);
  });

  it("sign kubelets' servers for a host's names", () => {
    const problem = (options: Partial<CertificateRequest>) => signingProblem(KUBELET_SERVING_SIGNER, request(options), serving);
    assert.equal(problem({ ipAddresses: ["10.0.0.1"] }), undefined);
    assert.equal(problem({}), "DNS or IP subjectAltName is required");
    assert.match(problem({ dnsNames: ["n"], uris: ["spiffe://x"] }) ?? "", /URI/);
  });
});

describe("automatic approval", () => {
  const asked = (username: string, options: Partial<CertificateRequest> = {}, signerName = KUBELET_CLIENT_SIGNER) =>
    approvalsFor({ signerName, usages: client, username }, request(options)).map(({ permission }) => permission);

  it("is for kubelets' client certificates, one's own first", () => {
    assert.deepEqual(asked("system:node:n"), ["selfnodeclient", "nodeclient"]);
    assert.deepEqual(asked("system:bootstrap:abcdef"), ["nodeclient"]);
    assert.deepEqual(asked("system:node:n", { organizations: ["system:masters"] }), []);
    assert.deepEqual(asked("system:node:n", {}, CLIENT_SIGNER), []);
  });
});

describe("a certificate request", () => {
  const HOUR = 3_600_000;
  const start = Date.parse("2026-01-01T00:00:00Z");
  const kept = (status: object, endsMs?: number) => {
    const metadata = { creationTimestamp: "2026-01-01T00:00:00Z" };
    return (keptUntilMs({ metadata, spec: { request: "", signerName: "" }, status }, endsMs) - start) / HOUR;
  };
  const condition = (type: string) => ({ type, status: "True", lastUpdateTime: "2026-01-01T02:00:00Z" });

  it("waits a day for its answer, and is kept for an hour with it", () => {
    assert.equal(kept({}), 24);
    assert.equal(kept({ conditions: [condition("Approved")] }), 24);
    assert.equal(kept({ conditions: [condition("Denied")] }), 3);
    assert.equal(kept({ conditions: [condition("Approved"), condition("Failed")] }), 3);
    assert.equal(kept({ conditions: [condition("Approved")], certificate: "x" }), 3);
    assert.equal(kept({ conditions: [condition("Approved")], certificate: "x" }, start + HOUR), 1);
  });
});
