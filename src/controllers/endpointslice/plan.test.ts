import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Pod, Service } from "../../api/types/core/v1.ts";
import type { EndpointSlice } from "../../api/types/discovery/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import { planSlices, type SlicePlan } from "./plan.ts";

const service = (spec: Service["spec"] = {}): Service => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "web", namespace: "default", uid: "svc", labels: { team: "a" } },
  spec: {
    clusterIP: "10.0.0.1",
    selector: { app: "web" },
    ports: [{ name: "http", port: 80, targetPort: "web" }],
    ipFamilies: ["IPv4"],
    ...spec,
  },
});

const pod = (index: number, { isReady = true, portName = "web" } = {}): Pod => ({
  metadata: { name: `p${index}`, namespace: "default", uid: `u${index}` },
  spec: { containers: [{ name: "c", ports: [{ name: portName, containerPort: 8080 }] }] },
  status: { phase: "Running", podIPs: [{ ip: `10.1.0.${index}` }], conditions: [{ type: "Ready", status: isReady ? "True" : "False" }] },
});

const pods = (count: number): Pod[] => Array.from({ length: count }, (_, index) => pod(index));

function plan(pods: readonly Pod[], existing: readonly DeepReadonly<EndpointSlice>[], owner = service()) {
  return planSlices({ service: owner, pods, nodeOf: () => undefined, existing });
}

function stored(slices: readonly DeepReadonly<EndpointSlice>[]): DeepReadonly<EndpointSlice>[] {
  return slices.map((slice, index) => ({ ...slice, metadata: { ...slice.metadata, name: `web-${index}` } }));
}

/** The slices after the plan. */
function applied(existing: readonly DeepReadonly<EndpointSlice>[], { create, update, delete: gone }: SlicePlan, round: number) {
  const byName = new Map(existing.map((slice) => [slice.metadata.name, slice]));
  for (const slice of gone) byName.delete(slice.metadata.name);
  for (const slice of update) byName.set(slice.metadata.name, slice);
  create.forEach((slice, index) => {
    const name = `web-${round}-${index}`;
    byName.set(name, { ...slice, metadata: { ...slice.metadata, name } });
  });
  return [...byName.values()];
}

const sizes = (slices: readonly DeepReadonly<EndpointSlice>[]) => slices.map(({ endpoints }) => endpoints?.length);

describe("planSlices", () => {
  it("fills slices with a hundred endpoints each and leaves them when nothing changes", () => {
    const { create } = plan(pods(250), []);
    assert.deepEqual(sizes(create), [100, 100, 50]);
    assert.deepEqual(plan(pods(250), stored(create)), { create: [], update: [], delete: [], waitsForNode: false });
  });

  it("labels a slice, names its owner and resolves named ports", () => {
    const [slice] = plan(pods(1), []).create;
    assert.equal(slice?.metadata.generateName, "web-");
    assert.deepEqual(slice?.metadata.labels, {
      team: "a",
      "kubernetes.io/service-name": "web",
      "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
    });
    assert.equal(slice?.metadata.ownerReferences?.[0]?.uid, "svc");
    assert.deepEqual(slice?.ports, [{ name: "http", port: 8080, protocol: "TCP" }]);
    assert.deepEqual(slice?.endpoints?.[0]?.targetRef, { kind: "Pod", namespace: "default", name: "p0", uid: "u0" });
  });

  it("writes one slice when a few endpoints come", () => {
    const existing = stored(plan(pods(150), []).create);
    const { create, update } = plan(pods(160), existing);
    assert.deepEqual([create.length, sizes(update)], [0, [60]]);
  });

  it("puts new endpoints into a slice that changes anyway", () => {
    const existing = stored(plan(pods(150), []).create);
    const { update, create } = plan([...pods(150).slice(1), pod(200)], existing);
    assert.deepEqual([create.length, sizes(update)], [0, [100]]);
  });

  it("gives pods with other ports a slice of their own and deletes those left empty", () => {
    const existing = stored(plan([pod(1)], []).create);
    const other = plan([pod(2, { portName: "none" })], existing);
    assert.deepEqual(
      other.create.map(({ ports }) => ports),
      [[]],
    );
    assert.deepEqual(other.delete, existing);
  });

  it("keeps one empty slice for a service without endpoints", () => {
    const { create } = plan([], []);
    assert.deepEqual(sizes(create), [0]);
    assert.deepEqual(plan([], stored(create)), { create: [], update: [], delete: [], waitsForNode: false });
  });

  it("comes to the same endpoints when it looks only at the pods that changed", () => {
    const change = fc.record({
      index: fc.nat(249),
      to: fc.constantFrom("gone", "ready", "unready", "other port"),
    });
    const states = {
      ready: (index: number) => pod(index),
      unready: (index: number) => pod(index, { isReady: false }),
      "other port": (index: number) => pod(index, { portName: "none" }),
    };
    fc.assert(
      fc.property(fc.nat(220), fc.array(fc.array(change, { maxLength: 120 }), { maxLength: 6 }), (count, rounds) => {
        const present = new Map(pods(count).map((pod, index) => [index, pod]));
        let slices = applied([], plan([...present.values()], []), 0);
        for (const [round, changes] of rounds.entries()) {
          for (const { index, to } of changes) {
            if (to === "gone") present.delete(index);
            else present.set(index, states[to](index));
          }
          const indexes = new Set(changes.map(({ index }) => index));
          const some = [...indexes].flatMap((index) => present.get(index) ?? []);
          const changed = new Set([...indexes].map((index) => `p${index}`));
          slices = applied(
            slices,
            planSlices({ service: service(), pods: some, nodeOf: () => undefined, existing: slices, changed }),
            round + 1,
          );
          const nothing = { create: [], update: [], delete: [], waitsForNode: false };
          assert.deepEqual(plan([...present.values()], slices), nothing, "a look at all of them finds nothing to do");
          assert.ok(sizes(slices).every((size = 0) => size <= 100));
        }
      }),
      { numRuns: 50 },
    );
  });

  it("tells ready, serving and terminating apart", () => {
    const leaving: Pod = { ...pod(1), metadata: { ...pod(1).metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } };
    const conditions = (pod: Pod, owner?: Service) => plan([pod], [], owner).create[0]?.endpoints?.[0]?.conditions;
    assert.deepEqual(conditions(leaving), { ready: false, serving: true, terminating: true });
    assert.deepEqual(conditions(pod(1, { isReady: false })), { ready: false, serving: false, terminating: false });
    const publishing = service({ publishNotReadyAddresses: true });
    assert.deepEqual(conditions(pod(1, { isReady: false }), publishing), { ready: true, serving: false, terminating: false });
  });
});
