import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { UncheckedObject } from "../../../api/index.ts";
import { CoreFixture, type Place } from "../../registry/testing/core-fixture.ts";

const node = { name: "system:node:n1", groups: ["system:nodes", "system:authenticated"] };

function scope(server: CoreFixture, path: string, place: Place = {}) {
  return { ...server.scope(path, place), user: node };
}

const createAs = (server: CoreFixture, path: string, object: object, place: Place = {}) =>
  server.core.create(scope(server, path, place), object as UncheckedObject, {});

async function updateAs(server: CoreFixture, path: string, object: { metadata: { name?: string } }, place: Place = {}) {
  const at = scope(server, path, { ...place, name: object.metadata.name ?? "" });
  return server.core.update(at, object as UncheckedObject, {});
}

/** A node n1, a pod on it and one on another node. */
async function start() {
  const server = await CoreFixture.start();
  await server.create("serviceaccounts", { metadata: { name: "default" } });
  const { object } = await createAs(server, "nodes", { metadata: { name: "n1" } });
  const pod = (name: string, nodeName: string) => ({ metadata: { name }, spec: { nodeName, containers: [{ name: "c", image: "i" }] } });
  await server.create("pods", pod("mine", "n1"));
  await server.create("pods", pod("other", "n2"));
  await server.clock.advance(0);
  return { server, uid: object.metadata.uid, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

describe("NodeRestriction", () => {
  it("lets a node change itself, but neither taints nor labels that are not its own", async () => {
    await using at = await start();
    const { resourceVersion: _version, ...metadata } = (await at.server.get("nodes", "n1")).object.metadata;
    const { spec } = (await at.server.get("nodes", "n1")).object as { spec?: object };
    const labelled = (labels: object) => updateAs(at.server, "nodes", { metadata: { ...metadata, labels }, spec } as never);
    await labelled({ "kubernetes.io/arch": "arm64", "example.com/disk": "ssd" });
    await assert.rejects(
      labelled({ "node-restriction.kubernetes.io/pci": "yes" }),
      /nodes "n1" is forbidden: is not allowed to modify labels: node-restriction.kubernetes.io\/pci/,
    );
    await assert.rejects(labelled({ "node-role.kubernetes.io/control-plane": "" }), /is not allowed to modify labels/);
    await assert.rejects(updateAs(at.server, "nodes", { metadata, spec: {} } as never), /node "n1" is not allowed to modify taints/);
    await assert.rejects(createAs(at.server, "nodes", { metadata: { name: "n2" } }), /node "n1" is not allowed to modify node "n2"/);
  });

  it("lets a node create mirror pods that lead nowhere", async () => {
    await using at = await start();
    const owner = { apiVersion: "v1", kind: "Node", name: "n1", uid: at.uid, controller: true };
    const mirror = (metadata: object = {}, spec: object = {}) => ({
      metadata: { name: "m", annotations: { "kubernetes.io/config.mirror": "x" }, ownerReferences: [owner], ...metadata },
      spec: { nodeName: "n1", containers: [{ name: "c", image: "i" }], ...spec },
    });
    const refused = (object: object, pattern: RegExp) => assert.rejects(createAs(at.server, "pods", object), pattern);
    await refused(
      mirror({ annotations: {} }),
      /pod does not have "kubernetes.io\/config.mirror" annotation, node "n1" can only create mirror pods/,
    );
    await refused(mirror({}, { nodeName: "n2" }), /can only create pods with spec.nodeName set to itself/);
    await refused(mirror({ ownerReferences: [] }), /can only create pods with an owner reference set to itself/);
    await refused(mirror({ ownerReferences: [{ ...owner, uid: "x" }] }), /node n1 UID mismatch/);
    await refused(mirror({}, { volumes: [{ name: "v", secret: { secretName: "s" } }] }), /a mirror pod may not reference secrets/);
    await createAs(at.server, "pods", mirror());
  });

  it("lets a node report on, evict and delete its own pods, and no others", async () => {
    await using at = await start();
    const status = async (name: string) => ({ ...(await at.server.get("pods", name)).object, status: { phase: "Running" } }) as never;
    const sub = { subresource: "status" };
    await updateAs(at.server, "pods", await status("mine"), sub);
    await assert.rejects(
      updateAs(at.server, "pods", await status("other"), sub),
      /node "n1" can only update pod status for pods with spec.nodeName set to itself/,
    );
    const evict = (name: string) => createAs(at.server, "pods", { metadata: { name } }, { name, subresource: "eviction" });
    await assert.rejects(evict("other"), /node "n1" can only evict pods with spec.nodeName set to itself/);
    await evict("mine");
    await assert.rejects(at.server.core.delete(scope(at.server, "pods", { name: "other" }), {}), /can only delete pods/);
  });

  it("lets a node have tokens for its pods only", async () => {
    const issue = async () => ({ token: "t", expirationTimestamp: "2026-01-01T01:00:00Z" });
    await using server = await CoreFixture.start({ tokenIssuer: { defaultAudiences: ["api"], issue } });
    const ask = (boundObjectRef?: object) =>
      createAs(server, "serviceaccounts", { spec: { boundObjectRef } }, { name: "default", subresource: "token" });
    await assert.rejects(ask(), /node requested token not bound to a pod/);
    await assert.rejects(ask({ kind: "Pod", apiVersion: "v1", name: "p" }), /node requested token with a pod binding without a uid/);
  });

  it("lets a node use the leases and slices in its own name", async () => {
    await using at = await start();
    const lease = (namespace: string, name: string) =>
      createAs(at.server, "coordination.k8s.io/v1/leases", { metadata: { name } }, { namespace });
    await assert.rejects(lease("default", "n1"), /can only access leases in the "kube-node-lease" system namespace/);
    await assert.rejects(lease("kube-node-lease", "n2"), /can only access node lease with the same name as the requesting node/);
    const slice = {
      metadata: { name: "s" },
      spec: { driver: "d.example.com", nodeName: "n2", pool: { name: "p", generation: 1, resourceSliceCount: 1 } },
    };
    await assert.rejects(
      createAs(at.server, "resource.k8s.io/v1/resourceslices", slice),
      /can only create ResourceSlice with the same NodeName/,
    );
  });
});
