import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Secret, ServiceAccount } from "../../api/types/core/v1.ts";
import { ACCOUNT_NAME, planTokenSecret } from "./plan.ts";

const account: ServiceAccount = { metadata: { name: "robot", namespace: "default", uid: "a1" } };
const base64 = (text: string) => Buffer.from(text).toString("base64");
const secret = (annotations: object = {}, data?: Record<string, string>): Secret => ({
  metadata: { name: "s", namespace: "default", annotations: { [ACCOUNT_NAME]: "robot", ...annotations } },
  ...(data === undefined ? {} : { data }),
});

describe("a token secret", () => {
  it("is filled with all that its account's users need", () => {
    const plan = planTokenSecret(secret(), account, "CA");
    assert.ok(plan.type === "fill" && plan.needsToken);
    assert.deepEqual(plan.secret.data, { "ca.crt": base64("CA"), namespace: base64("default") });
    assert.equal(plan.secret.metadata.annotations?.["kubernetes.io/service-account.uid"], "a1");
  });

  it("keeps its token, and is left alone when it is right", () => {
    const uid = { "kubernetes.io/service-account.uid": "a1" };
    const data = { "ca.crt": base64("CA"), namespace: base64("default"), token: "t" };
    assert.deepEqual(planTokenSecret(secret(uid, data), account, "CA"), { type: "none" });
    const renewed = planTokenSecret(secret(uid, data), account, "new CA");
    assert.ok(renewed.type === "fill" && !renewed.needsToken);
    assert.equal(renewed.secret.data?.["token"], "t");
  });

  it("goes when its account is gone or has become another", () => {
    assert.deepEqual(planTokenSecret(secret(), undefined, "CA"), { type: "delete" });
    assert.deepEqual(planTokenSecret(secret({ "kubernetes.io/service-account.uid": "a0" }), account, "CA"), { type: "delete" });
  });
});
