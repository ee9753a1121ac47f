import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Stored, UncheckedObject } from "../../../api/index.ts";
import { isForbidden } from "../../../machinery/index.ts";
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
