import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Stored, UncheckedObject } from "../../../api/index.ts";
import { isForbidden } from "../../../machinery/index.ts";
import type { AuthorizationAttributes } from "../../authz/authorizer.ts";
import { CoreFixture } from "../testing/core-fixture.ts";

const status = ({ object }: Stored) => (object as unknown as { status: Record<string, unknown> }).status;
const group = "authorization.k8s.io/v1";

describe("reviews and tokens", () => {
  it("tell what a user may do", async () => {
    const authorizer = {
      authorize: ({ user, verb }: { user: { name: string }; verb: string }) => ({
        allowed: user.name !== "bob" || verb === "get",
        reason: "",
      }),
    };
    await using server = await CoreFixture.start({ authorizer });
    const ask = (verb: string) => ({ spec: { user: "bob", resourceAttributes: { verb, resource: "pods", namespace: "default" } } });
    assert.equal(status(await server.create(`${group}/subjectaccessreviews`, ask("get")))["allowed"], true);
    assert.equal(status(await server.create(`${group}/subjectaccessreviews`, ask("list")))["allowed"], false);
  });

  it("of access say what is missing, and what cannot be asked together", async () => {
    await using server = await CoreFixture.start();
    const problemOf = (plural: string, spec: object) => server.create(`${group}/${plural}`, { spec }).then(() => "none", String);
    const resourceAttributes = { verb: "get", resource: "pods", namespace: "elsewhere" };
    const nonResourceAttributes = { verb: "get", path: "/" };
    const whole = await problemOf("subjectaccessreviews", {});
    assert.match(
      whole,
      /SubjectAccessReview\.authorization\.k8s\.io "" is invalid: \[spec\.resourceAttributes: Invalid value: null: exactly one of/,
    );
    assert.match(whole, /spec\.user: Invalid value: "": at least one of user or group must be specified/);
    assert.match(
      await problemOf("selfsubjectaccessreviews", { resourceAttributes, nonResourceAttributes }),
      /spec\.nonResourceAttributes: Invalid value: .*: cannot be specified in combination with resourceAttributes/,
    );
    assert.match(
      await problemOf("localsubjectaccessreviews", { user: "ann", resourceAttributes }),
      /spec\.resourceAttributes\.namespace: Invalid value: "elsewhere": must match metadata\.namespace/,
    );
  });

  it("of access take selectors as text or in parts, and tell what they do not understand", async () => {
    const asked: AuthorizationAttributes[] = [];
    const authorizer = {
      authorize: (attributes: AuthorizationAttributes) => {
        asked.push(attributes);
        return { allowed: attributes.user.name !== "bob", reason: "" };
      },
    };
    await using server = await CoreFixture.start({ authorizer });
    const ask = (selectors: object) => {
      const resourceAttributes = { verb: "list", resource: "pods", ...selectors };
      return server.create(`${group}/subjectaccessreviews`, { spec: { user: "bob", resourceAttributes } });
    };
    const raw = { fieldSelector: { rawSelector: "spec.nodeName=n1" }, labelSelector: { rawSelector: "a=b" } };
    assert.equal(status(await ask(raw))["evaluationError"], undefined);
    const [{ fieldRequirements, labelRequirements } = {}] = asked.splice(0).slice(-1);
    assert.deepEqual(fieldRequirements, [{ field: "spec.nodeName", operator: "=", value: "n1" }]);
    assert.deepEqual(labelRequirements, [{ key: "a", operator: "=", values: ["b"] }]);
    const parts = {
      fieldSelector: {
        requirements: [
          { key: "x", operator: "In", values: ["a", "b"] },
          { key: "y", operator: "NotIn", values: ["a"] },
        ],
      },
      labelSelector: { requirements: [{ key: "x", operator: "Near" }] },
    };
    assert.equal(
      status(await ask(parts))["evaluationError"],
      "[spec.resourceAttributes.fieldSelector partially ignored due to parse error, spec.resourceAttributes.labelSelector ignored due to parse error]",
    );
    assert.deepEqual(asked.at(-1)?.fieldRequirements, [{ field: "y", operator: "!=", value: "a" }]);
    const both = { labelSelector: { rawSelector: "a", requirements: [{ key: "a", operator: "Exists", values: ["b"] }] } };
    await assert.rejects(ask(both), /labelSelector\.rawSelector: Invalid value: "a": may not specified at the same time as requirements/);
    await assert.rejects(
      ask({ fieldSelector: {} }),
      /fieldSelector\.requirements: Required value: when spec\.resourceAttributes\.fieldSelector/,
    );
  });

  it("know only the fields of their kind", async () => {
    await using server = await CoreFixture.start();
    const resourceAttributes = { verb: "get", resource: "pods" };
    const ask = (spec: object) => server.create(`${group}/selfsubjectaccessreviews`, { spec });
    const { object } = await ask({ user: "bob", resourceAttributes });
    assert.deepEqual((object as { spec?: object }).spec, { resourceAttributes });
    await assert.rejects(ask({ resourceAttributes: "pods" }), { code: 400 });
  });

  it("issue a token for a service account, an hour long unless asked otherwise", async () => {
    const asked: unknown[] = [];
    const tokenIssuer = {
      defaultAudiences: ["api"],
      issue: async (_account: unknown, spec: object) => {
        asked.push(spec);
        return { token: "t", expirationTimestamp: "2026-01-01T01:00:00Z" };
      },
    };
    await using server = await CoreFixture.start({ tokenIssuer });
    await server.create("serviceaccounts", { metadata: { name: "sa" } });
    const answer = await server.create("serviceaccounts", { spec: {} }, { name: "sa", subresource: "token" });
    assert.equal(status(answer)["token"], "t");
    assert.deepEqual(asked, [{ expirationSeconds: 3600, audiences: ["api"] }]);
  });
});

describe("NodeRestriction", () => {
  it("lets a node change itself and no other", async () => {
    await using server = await CoreFixture.start();
    const user = { name: "system:node:n1", groups: ["system:nodes"] };
    const create = (name: string) => server.core.create({ ...server.scope("nodes"), user }, { metadata: { name } } as UncheckedObject, {});
    const { object } = await create("n1");
    const { spec } = object as unknown as { spec: { taints: { key: string }[] } };
    assert.deepEqual(
      spec.taints.map(({ key }) => key),
      ["node.kubernetes.io/not-ready"],
    );
    await assert.rejects(create("n2"), isForbidden);
  });
});
