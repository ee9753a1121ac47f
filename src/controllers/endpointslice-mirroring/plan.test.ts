import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Endpoints, Service } from "../../api/types/core/v1.ts";
import { isMirrored, planMirror, type Slice } from "./plan.ts";

const service: Service = { metadata: { name: "db", namespace: "default" }, spec: { ports: [{ port: 1 }] } };
const endpoints = (subsets: Endpoints["subsets"], metadata: object = {}): Endpoints => ({
  metadata: { name: "db", namespace: "default", uid: "e", ...metadata },
  subsets,
});
const subset = {
  addresses: [{ ip: "10.0.0.1", hostname: "a" }],
  notReadyAddresses: [{ ip: "10.0.0.2" }],
  ports: [{ name: "p", port: 5432 }],
};

describe("mirrored endpoints", () => {
  it("become a slice with what is ready and what is not", () => {
    const { create } = planMirror(endpoints([subset]), service, []);
    assert.equal(create.length, 1);
    assert.deepEqual(create[0]?.endpoints, [
      { addresses: ["10.0.0.1"], conditions: { ready: true }, hostname: "a" },
      { addresses: ["10.0.0.2"], conditions: { ready: false } },
    ]);
    assert.deepEqual(create[0]?.ports, [{ name: "p", port: 5432, protocol: "TCP" }]);
    assert.deepEqual(create[0]?.metadata.labels, {
      "kubernetes.io/service-name": "db",
      "endpointslice.kubernetes.io/managed-by": "endpointslicemirroring-controller.k8s.io",
    });
    assert.equal(create[0]?.metadata.ownerReferences?.[0]?.kind, "Endpoints");
  });

  it("have a slice for each family and each set of ports", () => {
    const mixed = { addresses: [{ ip: "10.0.0.1" }, { ip: "fd00::1" }], ports: [{ port: 1 }] };
    const { create } = planMirror(endpoints([mixed, subset]), service, []);
    assert.deepEqual(
      create.map(({ addressType }) => addressType),
      ["IPv4", "IPv6", "IPv4"],
    );
  });

  it("change their slice, and leave it alone when it is right", () => {
    const [slice] = planMirror(endpoints([subset]), service, []).create as [Slice];
    const known: Slice = { ...slice, metadata: { ...slice.metadata, name: "db-x1" } };
    assert.deepEqual(planMirror(endpoints([subset]), service, [known]), { create: [], update: [], delete: [] });
    const { update } = planMirror(endpoints([{ ...subset, notReadyAddresses: [] }]), service, [known]);
    assert.deepEqual([update[0]?.metadata.name, update[0]?.endpoints?.length], ["db-x1", 1]);
  });

  it("lose their slices with the service, with a selector, or when they are not to be mirrored", () => {
    const [slice] = planMirror(endpoints([subset]), service, []).create as [Slice];
    assert.deepEqual(planMirror(endpoints([subset]), undefined, [slice]).delete, [slice]);
    assert.deepEqual(planMirror(undefined, service, [slice]).delete, [slice]);
    const selecting = { ...service, spec: { ...service.spec, selector: { app: "db" } } };
    assert.deepEqual(planMirror(endpoints([subset]), selecting, [slice]).delete, [slice]);
    const skipped = endpoints([subset], { labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } });
    assert.equal(isMirrored(skipped), false);
    assert.deepEqual(planMirror(skipped, service, [slice]).delete, [slice]);
    assert.equal(isMirrored(endpoints([], { annotations: { "control-plane.alpha.kubernetes.io/leader": "{}" } })), false);
  });
});
