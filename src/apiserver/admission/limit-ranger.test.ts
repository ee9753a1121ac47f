import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CoreFixture } from "../registry/testing/core-fixture.ts";

const pod = (name: string, resources: object = {}) => ({
  metadata: { name },
  spec: { containers: [{ name: "c", image: "i", resources }] },
});

describe("LimitRanger", () => {
  it("fills in a container's requests and limits, and refuses more than the maximum", async () => {
    await using server = await CoreFixture.start();
    await server.create("serviceaccounts", { metadata: { name: "default" } });
    const limits = [{ type: "Container", default: { cpu: "500m" }, defaultRequest: { cpu: "100m" }, max: { cpu: "1" } }];
    await server.create("limitranges", { metadata: { name: "l" }, spec: { limits } });
    const { object } = await server.create("pods", pod("a"));
    const { spec } = object as unknown as { spec: { containers: { resources: unknown }[] } };
    assert.deepEqual(spec.containers[0]?.resources, { requests: { cpu: "100m" }, limits: { cpu: "500m" } });
    await assert.rejects(server.create("pods", pod("b", { limits: { cpu: "2" } })), {
      message: 'pods "b" is forbidden: maximum cpu usage per Container is 1, but limit is 2',
    });
  });
});
