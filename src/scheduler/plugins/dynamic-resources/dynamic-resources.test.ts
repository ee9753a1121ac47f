import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Device, DeviceClaim, DeviceRequest, ResourceSlice } from "../../../api/types/resource/v1.ts";
import type { KubeObject } from "../../../machinery/index.ts";
import { TestCluster, testNode, testPodInfo } from "../../scheduler.fixture.ts";
import { allocate, type Claim } from "./allocator.ts";
import { completeDevices, isUsableOn } from "./devices.ts";

const DRIVER = "gpu.example.com";

function gpu(name: string, more: Partial<Device> = {}): Device {
  return {
    name,
    attributes: { model: { string: "a100" }, index: { int: 1 }, version: { version: "1.10.0" } },
    capacity: { memory: { value: "40Gi" } },
    ...more,
  };
}

function slice(nodeName: string, devices: Device[], pool: Partial<ResourceSlice["spec"]["pool"]> = {}): ResourceSlice {
  const spec = { driver: DRIVER, nodeName, pool: { name: nodeName, generation: 1, resourceSliceCount: 1, ...pool }, devices };
  return { metadata: { name: `${nodeName}-${devices[0]?.name}` }, spec };
}

function claim(name: string, devices: DeviceClaim, status?: Claim["status"]): Claim {
  return {
    metadata: { name, namespace: "default", uid: name },
    spec: { devices: devices as NonNullable<Claim["spec"]["devices"]> },
    status,
  };
}

const one = (exactly: Partial<NonNullable<DeviceRequest["exactly"]>> = {}, name = "gpu"): DeviceRequest => ({
  name,
  exactly: { deviceClassName: "gpu", ...exactly },
});

const where = (expression: string) => [{ cel: { expression } }];
const deviceClass = { metadata: { name: "gpu" }, spec: { selectors: where(`device.driver == "${DRIVER}"`) } };

/** Names of the devices for the claim, by request. */
function devicesFor(devices: DeviceClaim, slices: readonly ResourceSlice[], inUse: readonly string[] = []): string[] | undefined {
  const usable = completeDevices(slices).filter((device) => isUsableOn(device, testNode("n1")));
  const taken = new Set(inUse.map((name) => `${DRIVER}/n1/${name}`));
  const allocations = allocate({
    claims: [claim("c", devices)],
    devices: usable,
    inUse: taken,
    deviceClass: (name) => (name === "gpu" ? deviceClass : undefined),
  });
  return allocations?.[0]?.devices?.results?.map(({ request, device }) => `${request} ${device}`);
}

describe("allocating devices", () => {
  const two = [slice("n1", [gpu("a"), gpu("b")])];

  it("takes devices that nobody has, each once", () => {
    assert.deepEqual(devicesFor({ requests: [one()] }, two), ["gpu a"]);
    assert.deepEqual(devicesFor({ requests: [one()] }, two, ["a"]), ["gpu b"]);
    assert.deepEqual(devicesFor({ requests: [one({}, "x"), one({}, "y")] }, two), ["x a", "y b"]);
    assert.equal(devicesFor({ requests: [one({ count: 3 })] }, two), undefined);
  });

  it("asks expressions about attributes and capacity", () => {
    const slices = [
      slice("n1", [
        gpu("small", { capacity: { memory: { value: "10Gi" } } }),
        gpu("old", { attributes: { version: { version: "1.9.0" } } }),
        gpu("good"),
      ]),
    ];
    const find = (expression: string) => devicesFor({ requests: [one({ selectors: where(expression) })] }, slices);
    assert.deepEqual(find(`device.capacity["${DRIVER}"].memory.compareTo(quantity("20Gi")) >= 0`), ["gpu old"]);
    assert.deepEqual(
      find(
        `device.attributes["${DRIVER}"].version.isGreaterThan(semver("1.9.5")) && device.capacity["${DRIVER}"].memory.isGreaterThan(quantity("20Gi"))`,
      ),
      ["gpu good"],
    );
    assert.equal(find(`has(device.attributes["${DRIVER}"].model) && device.attributes["${DRIVER}"].model == "h100"`), undefined);
  });

  it("goes back on a choice that breaks a constraint", () => {
    const on = (name: string, numa: number) => gpu(name, { attributes: { numa: { int: numa } } });
    const slices = [slice("n1", [on("a", 0), on("b", 1), on("c", 1)])];
    const constraints = [{ matchAttribute: `${DRIVER}/numa` }];
    assert.deepEqual(devicesFor({ requests: [one({ count: 2 })], constraints }, slices), ["gpu b", "gpu c"]);
    assert.equal(devicesFor({ requests: [one({ count: 3 })], constraints }, slices), undefined);
  });

  it("takes all devices, or the first of several requests that can be had", () => {
    assert.deepEqual(devicesFor({ requests: [one({ allocationMode: "All" })] }, two), ["gpu a", "gpu b"]);
    assert.equal(devicesFor({ requests: [one({ allocationMode: "All" })] }, two, ["b"]), undefined);
    const firstAvailable = [
      { name: "three", deviceClassName: "gpu", count: 3 },
      { name: "one", deviceClassName: "gpu", count: 1 },
    ];
    assert.deepEqual(devicesFor({ requests: [{ name: "gpu", firstAvailable }] }, two), ["gpu/one a"]);
  });

  it("ignores pools that are not complete, and older generations", () => {
    const half = slice("n1", [gpu("a")], { resourceSliceCount: 2 });
    assert.equal(devicesFor({ requests: [one()] }, [half]), undefined);
    const newer = slice("n1", [gpu("b")], { generation: 2 });
    assert.deepEqual(devicesFor({ requests: [one()] }, [half, newer]), ["gpu b"]);
  });

  it("leaves devices with taints that the request does not tolerate", () => {
    const slices = [slice("n1", [gpu("sick", { taints: [{ key: "broken", effect: "NoSchedule" }] })])];
    assert.equal(devicesFor({ requests: [one()] }, slices), undefined);
    assert.deepEqual(devicesFor({ requests: [one({ tolerations: [{ key: "broken", operator: "Exists" }] })] }, slices), ["gpu sick"]);
  });
});

describe("DynamicResources", () => {
  const pod = (...names: readonly string[]) =>
    testPodInfo({ spec: { resourceClaims: names.map((name) => ({ name, resourceClaimName: name })) } });

  function cluster(objects: Readonly<Record<string, readonly object[]>>) {
    const nodes = [testNode("n1"), testNode("n2")];
    return new TestCluster({
      nodes,
      objects: { deviceclasses: [deviceClass], ...objects } as Readonly<Record<string, readonly KubeObject[]>>,
    });
  }

  it("places a pod where its claims can be allocated, or are", () => {
    const resourceslices = [slice("n2", [gpu("a")])];
    const allocated = {
      allocation: { nodeSelector: { nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values: ["n1"] }] }] } },
    };
    const resourceclaims = [claim("new", { requests: [one()] }), claim("there", { requests: [one()] }, allocated)];
    const test = cluster({ resourceslices, resourceclaims });
    assert.equal(test.place(pod("new")), "n2");
    assert.equal(test.place(pod("there")), "n1");
    assert.equal(
      test.place(pod("new", "there")),
      "0/2 nodes are available: 1 cannot allocate all claims, 1 resourceclaim not available on the node.",
    );
  });

  it("says what is missing before it looks at nodes", () => {
    const resourceclaims = [claim("strange", { requests: [one({ deviceClassName: "tpu" })] })];
    const test = cluster({ resourceclaims });
    assert.equal(test.place(pod("strange")), "0/2 nodes are available: request gpu: device class tpu does not exist.");
    const templated = testPodInfo({ name: "p", spec: { resourceClaims: [{ name: "gpu", resourceClaimTemplateName: "t" }] } });
    assert.equal(test.place(templated), '0/2 nodes are available: pod "default/p": ResourceClaim not created yet.');
  });
});
