import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Stored, UncheckedObject } from "../../../api/index.ts";
import { isInvalid } from "../../../machinery/index.ts";
import { CoreFixture } from "../testing/core-fixture.ts";
import { IpRange } from "./ip-range.ts";
import type { ServiceSpec } from "./service-fields.ts";

const spec = ({ object }: Stored) => (object as unknown as { spec: ServiceSpec }).spec;

function service(name: string, fields: object = {}): UncheckedObject & { metadata: { name: string } } {
  return { apiVersion: "v1", kind: "Service", metadata: { name }, spec: { ports: [{ port: 80 }], ...fields } };
}

describe("services", () => {
  it("get an address of the range, which no other service can have until they are gone", async () => {
    await using server = await CoreFixture.start({ serviceCidr: "10.0.0.0/24" });
    const { clusterIP = "", clusterIPs, ipFamilies, ipFamilyPolicy } = spec(await server.create("services", service("a")));
    assert.match(clusterIP, /^10\.0\.0\.\d+$/);
    assert.deepEqual([clusterIPs, ipFamilies, ipFamilyPolicy], [[clusterIP], ["IPv4"], "SingleStack"]);
    await assert.rejects(server.create("services", service("b", { clusterIP })), (error) => {
      return isInvalid(error) && /provided IP is already allocated/.test(String(error));
    });
    await server.delete("services", "a");
    await server.create("services", service("b", { clusterIP }));
  });

  it("are refused an address outside of the range, and stay without one when headless", async () => {
    await using server = await CoreFixture.start({ serviceCidr: "10.0.0.0/24" });
    await assert.rejects(server.create("services", service("a", { clusterIP: "10.1.0.1" })), /The range of valid IPs is 10\.0\.0\.0\/24/);
    assert.deepEqual(spec(await server.create("services", service("b", { clusterIP: "None" }))).clusterIPs, ["None"]);
  });

  it("keep address and node port over a replacement that leaves them open", async () => {
    await using server = await CoreFixture.start();
    const before = spec(await server.create("services", service("a", { type: "NodePort" })));
    const nodePort = before.ports?.[0]?.nodePort ?? 0;
    assert.ok(nodePort >= 30000 && nodePort <= 32767);
    const after = spec(await server.update("services", service("a", { type: "NodePort" })));
    assert.deepEqual([after.clusterIP, after.ports?.[0]?.nodePort], [before.clusterIP, nodePort]);
    await assert.rejects(
      server.create("services", service("b", { type: "NodePort", ports: [{ port: 80, nodePort }] })),
      /provided port is already allocated/,
    );
  });

  it("run out when the range is full", async () => {
    await using server = await CoreFixture.start({ serviceCidr: "10.0.0.0/30" });
    await Promise.all([server.create("services", service("a")), server.create("services", service("b"))]);
    await assert.rejects(server.create("services", service("c")), /range is full/);
  });

  it("get addresses of further ranges that are ready, when the first is full or when they ask for one", async () => {
    await using server = await CoreFixture.start({ serviceCidr: "10.0.0.0/30" });
    const cidrs = "networking.k8s.io/v1/servicecidrs";
    const finalizers = ["example.com/keep"];
    const { object } = await server.create(cidrs, {
      metadata: { name: "more", finalizers },
      spec: { cidrs: ["10.9.0.0/28", "10.8.0.0/32"] },
    });
    await Promise.all([server.create("services", service("a")), server.create("services", service("b"))]);
    await assert.rejects(server.create("services", service("c")), /range is full/);
    const conditions = [{ type: "Ready", status: "True", reason: "", message: "", lastTransitionTime: "2026-01-01T00:00:00Z" }];
    await server.update(cidrs, { ...object, status: { conditions } } as never, { subresource: "status" });
    await server.clock.advance(0);
    assert.match(spec(await server.create("services", service("c"))).clusterIP ?? "", /^10\.9\.0\.\d+$/);
    assert.equal(spec(await server.create("services", service("d", { clusterIP: "10.9.0.14" }))).clusterIP, "10.9.0.14");
    await server.delete(cidrs, "more");
    await server.clock.advance(0);
    await assert.rejects(server.create("services", service("e")), /range is full/);
    await assert.rejects(server.create("services", service("e", { clusterIP: "10.9.0.13" })), /The range of valid IPs is 10\.0\.0\.0\/30/);
  });

  it("make the API server known as `kubernetes`", async () => {
    await using server = await CoreFixture.start({ advertised: { ip: "192.0.2.1", port: 6443 } });
    assert.equal(spec(await server.get("services", "kubernetes")).clusterIP, "10.96.0.1");
    const { subsets } = (await server.get("endpoints", "kubernetes")).object as unknown as { subsets: unknown };
    assert.deepEqual(subsets, [{ addresses: [{ ip: "192.0.2.1" }], ports: [{ name: "https", port: 6443, protocol: "TCP" }] }]);
  });
});

describe("services of two families", () => {
  const both = { serviceCidr: "10.0.0.0/24,fd00:96::/112" };

  it("have the first of the cluster unless they ask for more", async () => {
    await using server = await CoreFixture.start(both);
    const of = async (name: string, fields: object) => {
      const { ipFamilies, ipFamilyPolicy, clusterIPs = [] } = spec(await server.create("services", service(name, fields)));
      return [ipFamilies, ipFamilyPolicy, clusterIPs.map((ip) => (ip.includes(":") ? 6 : 4))];
    };
    assert.deepEqual(await of("a", {}), [["IPv4"], "SingleStack", [4]]);
    assert.deepEqual(await of("b", { ipFamilyPolicy: "PreferDualStack" }), [["IPv4", "IPv6"], "PreferDualStack", [4, 6]]);
    assert.deepEqual(await of("c", { ipFamilies: ["IPv6"] }), [["IPv6"], "SingleStack", [6]]);
    assert.deepEqual(await of("d", { ipFamilies: ["IPv6", "IPv4"] }), [["IPv6", "IPv4"], "RequireDualStack", [6, 4]]);
    assert.deepEqual(await of("e", { clusterIP: "fd00:96::77" }), [["IPv6"], "SingleStack", [6]]);
  });

  it("get a second address by their policy, and lose it again", async () => {
    await using server = await CoreFixture.start(both);
    const first = spec(await server.create("services", service("a")));
    const two = spec(await server.update("services", service("a", { ipFamilyPolicy: "RequireDualStack" })));
    assert.deepEqual([two.clusterIPs?.[0], two.clusterIPs?.length], [first.clusterIP, 2]);
    const one = spec(await server.update("services", service("a", { ipFamilyPolicy: "SingleStack" })));
    assert.deepEqual([one.clusterIPs, one.ipFamilies], [[first.clusterIP], ["IPv4"]]);
    await server.create("services", service("b", { clusterIP: two.clusterIPs?.[1] }));
  });

  it("are refused what the cluster or they themselves do not have", async () => {
    await using single = await CoreFixture.start({ serviceCidr: "10.0.0.0/24" });
    const refused = async (server: CoreFixture, fields: object, why: RegExp) =>
      assert.rejects(server.create("services", service("x", fields)), (error) => isInvalid(error) && why.test(String(error)));
    await refused(
      single,
      { ipFamilyPolicy: "RequireDualStack" },
      /spec\.ipFamilyPolicy.*this cluster is not configured for dual-stack services/,
    );
    await refused(single, { ipFamilies: ["IPv6"] }, /spec\.ipFamilies\[0\].*not configured on this cluster/);
    assert.deepEqual(spec(await single.create("services", service("p", { ipFamilyPolicy: "PreferDualStack" }))).ipFamilies, ["IPv4"]);
    await using server = await CoreFixture.start(both);
    const twoFamilies = { ipFamilyPolicy: "SingleStack", ipFamilies: ["IPv4", "IPv6"] };
    await refused(server, twoFamilies, /must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified/);
    await refused(server, { ipFamilies: ["IPv6"], clusterIP: "10.0.0.9" }, /expected an IPv6 value as indicated by `ipFamilies\[0\]`/);
  });

  it("have both families when they are headless and without a selector, whatever the cluster has", async () => {
    await using server = await CoreFixture.start({ serviceCidr: "10.0.0.0/24" });
    const { ipFamilies, ipFamilyPolicy, clusterIPs } = spec(await server.create("services", service("a", { clusterIP: "None" })));
    assert.deepEqual([ipFamilies, ipFamilyPolicy, clusterIPs], [["IPv4", "IPv6"], "RequireDualStack", ["None"]]);
  });
});

describe("IpRange", () => {
  it("counts in both families", () => {
    assert.equal(new IpRange("10.96.0.0/12").at(0), "10.96.0.1");
    assert.equal(new IpRange("fd00:10::/112").at(254), "fd00:10::ff");
    assert.equal(new IpRange("fd00:10::/112").contains("fd00:10::ff"), true);
    assert.equal(new IpRange("10.96.0.0/30").contains("10.96.0.3"), false);
  });
});
