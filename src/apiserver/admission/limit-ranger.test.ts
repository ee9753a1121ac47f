import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CoreFixture } from "../registry/testing/core-fixture.ts";

const pod = (name: string, ...resources: object[]) => ({
  metadata: { name },
  spec: { containers: resources.map((each, i) => ({ name: `c${i}`, image: "i", resources: each })) },
});

async function withLimits(...limits: object[]): Promise<CoreFixture> {
  const server = await CoreFixture.start();
  await server.create("serviceaccounts", { metadata: { name: "default" } });
  await server.create("limitranges", { metadata: { name: "l" }, spec: { limits } });
  await server.clock.advance(0);
  return server;
}

const refused = (server: CoreFixture, path: string, object: object, why: string) =>
  assert.rejects(server.create(path, object), { message: `${path} "x" is forbidden: ${why}` });

describe("LimitRanger", () => {
  it("fills in a container's requests and limits, and says so", async () => {
    await using server = await withLimits({
      type: "Container",
      default: { cpu: "500m" },
      defaultRequest: { cpu: "100m" },
      max: { cpu: "1" },
    });
    const { object } = await server.create("pods", pod("a", {}, { requests: { cpu: "200m" } }));
    const { spec } = object as unknown as { spec: { containers: { resources: unknown }[] } };
    assert.deepEqual(
      spec.containers.map(({ resources }) => resources),
      [
        { requests: { cpu: "100m" }, limits: { cpu: "500m" } },
        { requests: { cpu: "200m" }, limits: { cpu: "500m" } },
      ],
    );
    const note = "LimitRanger plugin set: cpu request for container c0; cpu limit for container c0; cpu limit for container c1";
    assert.equal(object.metadata.annotations?.["kubernetes.io/limit-ranger"], note);
  });

  it("holds containers to their bounds and ratio", async () => {
    const item = { type: "Container", min: { cpu: "100m" }, max: { cpu: "1" }, maxLimitRequestRatio: { memory: "2" } };
    await using server = await withLimits({ ...item, default: { memory: "1Mi", cpu: "1" }, defaultRequest: { memory: "1Mi", cpu: "1" } });
    await refused(server, "pods", pod("x", { limits: { cpu: "2" } }), "maximum cpu usage per Container is 1, but limit is 2");
    await refused(server, "pods", pod("x", { requests: { cpu: "50m" } }), "minimum cpu usage per Container is 100m, but request is 50m");
    const wide = { requests: { memory: "1Mi" }, limits: { memory: "3Mi" } };
    const why = "memory max limit to request ratio per Container is 2, but provided ratio is 3.000000";
    await refused(server, "pods", pod("x", wide), why);
  });

  it("holds pods to theirs as a whole", async () => {
    await using server = await withLimits({ type: "Pod", max: { memory: "100Mi" } });
    const half = { requests: { memory: "60Mi" }, limits: { memory: "60Mi" } };
    await server.create("pods", pod("a", half));
    await refused(server, "pods", pod("x", half, half), "maximum memory usage per Pod is 100Mi, but limit is 120Mi");
    await refused(server, "pods", pod("x", half, {}), "maximum memory usage per Pod is 100Mi.  No limit is specified");
  });

  it("holds claims to theirs", async () => {
    await using server = await withLimits({ type: "PersistentVolumeClaim", min: { storage: "1Gi" }, max: { storage: "2Gi" } });
    const claim = (storage: string) => ({
      metadata: { name: "x" },
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage } } },
    });
    const path = "persistentvolumeclaims";
    await refused(server, path, claim("3Gi"), "maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 3Gi");
    await refused(server, path, claim("1Mi"), "minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 1Mi");
    await server.create(path, claim("2Gi"));
  });
});
