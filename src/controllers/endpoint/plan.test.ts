import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Pod, Service } from "../../api/types/core/v1.ts";
import { behindAfter, planEndpoints } from "./plan.ts";

const service: Service = {
  metadata: { name: "web", namespace: "default", uid: "svc" },
  spec: { clusterIP: "10.0.0.1", selector: { app: "web" }, ports: [{ port: 80, targetPort: "web" }] },
};

const pod = (index: number, { isReady = true, portName = "web" } = {}): Pod => ({
  metadata: { name: `p${index}`, namespace: "default", uid: `u${index}` },
  spec: { containers: [{ name: "c", ports: [{ name: portName, containerPort: 8080 }] }] },
  status: {
    phase: "Running",
    podIPs: [{ ip: `10.1.${index >> 8}.${index & 255}` }],
    conditions: [{ type: "Ready", status: isReady ? "True" : "False" }],
  },
});

const all = (pods: readonly Pod[]) => behindAfter([], service, { names: undefined, pods });

describe("planEndpoints", () => {
  it("lists ready and other addresses in order", () => {
    const plan = planEndpoints(service, all([pod(3), pod(2, { isReady: false }), pod(1), pod(4, { portName: "none" })]), undefined);
    const { subsets = [] } = plan.type === "none" ? {} : plan.endpoints;
    const ips = (addresses: readonly { readonly ip: string }[] = []) => addresses.map(({ ip }) => ip);
    assert.deepEqual(
      subsets.map(({ addresses, notReadyAddresses }) => [ips(addresses), ips(notReadyAddresses)]),
      [[["10.1.0.1", "10.1.0.3"], ["10.1.0.2"]]],
    );
  });

  it("cuts off what is more than a thousand, others before ready ones", () => {
    const pods = Array.from({ length: 1200 }, (_, index) => pod(index, { isReady: index % 2 === 0 }));
    const plan = planEndpoints(service, all(pods), undefined);
    const { subsets, metadata } = plan.type === "none" ? {} : plan.endpoints;
    assert.deepEqual([subsets?.[0]?.addresses?.length, subsets?.[0]?.notReadyAddresses?.length], [600, 400]);
    assert.equal(metadata?.annotations?.["endpoints.kubernetes.io/over-capacity"], "truncated");
  });
});

describe("behindAfter", () => {
  it("comes to the same by looking only at the pods that changed", () => {
    const states = [() => undefined, pod, (index: number) => pod(index, { isReady: false }), (i: number) => pod(i, { portName: "none" })];
    const change = fc.tuple(fc.nat(60), fc.nat(states.length - 1));
    fc.assert(
      fc.property(fc.array(fc.array(change, { maxLength: 30 }), { maxLength: 5 }), (rounds) => {
        const present = new Map<number, Pod | undefined>();
        let behind = all([]);
        for (const changes of rounds) {
          for (const [index, state] of changes) present.set(index, states[state]?.(index));
          const indexes = new Set(changes.map(([index]) => index));
          const names = new Set([...indexes].map((index) => `p${index}`));
          behind = behindAfter(behind, service, { names, pods: [...indexes].flatMap((index) => present.get(index) ?? []) });
          assert.deepEqual(behind, all([...present.values()].flatMap((pod) => pod ?? [])));
        }
      }),
    );
  });
});
