import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { encodePem } from "../../machinery/index.ts";
import { afterAsking, type CertificateRequest, type CertificateState, stepCertificate } from "./pod-certificate-state.ts";

const nowMs = Date.parse("2026-01-01T00:00:00Z");
const MINUTE = 60_000;
const at = (ms: number) => new Date(nowMs + ms).toISOString();

function requestWith(type: string, status: CertificateRequest["status"] = {}): CertificateRequest {
  const condition = { type, status: "True", reason: "Why", message: "because", lastTransitionTime: at(0) };
  return {
    metadata: { name: "req-1", namespace: "default" },
    spec: {} as CertificateRequest["spec"],
    status: { ...status, conditions: [condition] },
  };
}

const chain = encodePem("CERTIFICATE", Buffer.from("leaf"));
const issuedRequest = requestWith("Issued", {
  certificateChain: `hello\n${chain}\nbye\n`,
  beginRefreshAt: at(30 * MINUTE),
  notAfter: at(60 * MINUTE),
});
const askedFor = (privateKey = "key"): CertificateState =>
  afterAsking({ kind: "missing" }, { privateKey, requestName: "req-1", abandonAtMs: nowMs + 10 * MINUTE });
const step = (state: CertificateState, request?: CertificateRequest, afterMs = 0) =>
  stepCertificate(state, { request, nowMs: nowMs + afterMs, jitterMs: MINUTE });
const issued = () => step(askedFor(), issuedRequest).state;

describe("the certificate of a pod", () => {
  it("is asked for once", () => {
    assert.equal(step({ kind: "missing" }).mustAsk, true);
    assert.deepEqual(step(askedFor()), { state: askedFor(), mustAsk: false, events: [] });
  });

  it("comes with the key it was asked for, without what stands between its blocks", () => {
    const state = issued();
    assert.deepEqual(state, {
      kind: "issued",
      credential: { privateKey: "key", chain, beginRefreshAtMs: nowMs + 31 * MINUTE, notAfterMs: nowMs + 60 * MINUTE, told: [] },
    });
  });

  it("is refused for good, which is told", () => {
    const { state, events } = step(askedFor(), requestWith("Denied"));
    assert.deepEqual(state, { kind: "refused", type: "Denied", reason: "Why", message: "because" });
    const message = 'PodCertificateRequest default/req-1 was denied, reason="Why", message="because"';
    assert.deepEqual(events, [{ reason: "Denied", message }]);
    assert.deepEqual(step(state, undefined, 60 * MINUTE), { state, mustAsk: false, events: [] });
    assert.match(step(askedFor(), requestWith("Failed")).events[0]?.message ?? "", /req-1 failed, reason="Why"/);
  });

  it("is asked for again when the request was lost for ten minutes", () => {
    assert.equal(step(askedFor(), undefined, 10 * MINUTE).mustAsk, false);
    assert.equal(step(askedFor(), undefined, 10 * MINUTE + 1).mustAsk, true);
  });

  it("is renewed when its time has come, and shown until the next one is there", () => {
    assert.equal(step(issued(), undefined, 30 * MINUTE).mustAsk, false);
    const { state, mustAsk } = step(issued(), undefined, 31 * MINUTE);
    assert.equal(mustAsk, true);
    const asked = { privateKey: "key-2", requestName: "req-2", abandonAtMs: nowMs + 41 * MINUTE };
    const refreshing = afterAsking(state, asked);
    assert.equal("credential" in refreshing && refreshing.credential.privateKey, "key");
    assert.equal(step(refreshing, undefined, 41 * MINUTE + 1).mustAsk, true);
    const renewed = step(refreshing, issuedRequest, 32 * MINUTE).state;
    assert.equal("credential" in renewed && renewed.credential.privateKey, "key-2");
  });

  it("is told about once when it is overdue, and once when it has ended", () => {
    let state: CertificateState = afterAsking(issued(), { privateKey: "k", requestName: "r", abandonAtMs: nowMs + 90 * MINUTE });
    const reasons = [42, 43, 61, 62].map((minutes) => {
      const next = step(state, undefined, minutes * MINUTE);
      state = next.state;
      return next.events.map(({ reason }) => reason);
    });
    assert.deepEqual(reasons, [["CertificateOverdueForRefresh"], [], ["CertificateExpired"], []]);
  });
});
