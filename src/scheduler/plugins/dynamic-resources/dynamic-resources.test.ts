import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { CapacityRequestPolicy, Device, DeviceClaim, DeviceRequest, ResourceSlice } from "../../../api/types/resource/v1.ts";
import type { KubeObject } from "../../../machinery/index.ts";
import { TestCluster, testNode, testPodInfo } from "../../scheduler.fixture.ts";
import { type Claim, chooseDevices } from "./allocator.ts";
import { bindingProgress } from "./binding-conditions.ts";
import { consumedCapacity } from "./consumed-capacity.ts";
import { DeviceUse } from "./device-use.ts";
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
  const taken = inUse.map((device) => ({ request: "gpu", driver: DRIVER, pool: "n1", device }));
  const choices = chooseDevices({
    claims: [claim("c", devices)],
    devices: usable,
    use: DeviceUse.of(taken, usable),
    deviceClass: (name) => (name === "gpu" ? deviceClass : undefined),
  });
  return choices?.map(({ alternative, device }) => `${alternative.name} ${device.device.name}`);
}

describe("allocating devices", () => {
  const oddTaint = [{ key: "odd", effect: "SomethingNew" }];
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

  it("leaves devices with taints that the request does not tolerate, and takes part of no request for all of them", () => {
    const slices = [slice("n1", [gpu("sick", { taints: [{ key: "broken", effect: "NoSchedule" }] }), gpu("odd", { taints: oddTaint })])];
    assert.deepEqual(devicesFor({ requests: [one()] }, slices), ["gpu odd"]);
    assert.equal(devicesFor({ requests: [one({ allocationMode: "All" })] }, slices), undefined);
    const tolerations = [{ key: "broken", operator: "Exists" }];
    assert.deepEqual(devicesFor({ requests: [one({ count: 2, tolerations })] }, slices), ["gpu sick", "gpu odd"]);
  });

  it("gives partitions of a device as long as its counters suffice", () => {
    const part = (name: string, memory: string) =>
      gpu(name, { consumesCounters: [{ counterSet: "card", counters: { memory: { value: memory } } }] });
    const { metadata, spec } = slice("n1", [part("whole", "40Gi"), part("half-0", "20Gi"), part("half-1", "20Gi")]);
    const slices = [{ metadata, spec: { ...spec, sharedCounters: [{ name: "card", counters: { memory: { value: "40Gi" } } }] } }];
    assert.deepEqual(devicesFor({ requests: [one({ count: 2 })] }, slices), ["gpu half-0", "gpu half-1"]);
    assert.equal(devicesFor({ requests: [one({ count: 3 })] }, slices), undefined);
    assert.deepEqual(devicesFor({ requests: [one()] }, slices, ["half-0"]), ["gpu half-1"]);
    assert.equal(devicesFor({ requests: [one()] }, slices, ["whole"]), undefined);
  });

  it("gives administrators devices that others have", () => {
    assert.deepEqual(devicesFor({ requests: [one({ adminAccess: true, allocationMode: "All" })] }, two, ["a", "b"]), ["gpu a", "gpu b"]);
  });

  it("takes no device for a capacity that it has not", () => {
    const capacity = (memory: string) => one({ capacity: { requests: { memory } } });
    assert.deepEqual(devicesFor({ requests: [capacity("40Gi")] }, two), ["gpu a"]);
    assert.equal(devicesFor({ requests: [capacity("41Gi")] }, two), undefined);
    assert.equal(devicesFor({ requests: [one({ capacity: { requests: { cores: "1" } } })] }, two), undefined);
  });
});

describe("what a request takes of a shared device", () => {
  const shared = (requestPolicy?: CapacityRequestPolicy) => {
    const devices = completeDevices([
      slice("n1", [gpu("nic", { allowMultipleAllocations: true, capacity: { rate: { value: "10", requestPolicy } } })]),
    ]);
    const [device] = devices;
    assert.ok(device !== undefined);
    return (rate?: string) =>
      consumedCapacity(rate === undefined ? {} : { [`${DRIVER}/rate`]: rate }, device)
        ?.get("rate")
        ?.toString();
  };

  it("is all of it, or the default, when nothing is asked", () => {
    assert.deepEqual([shared()(), shared({ default: "2" })()], ["10", "2"]);
  });

  it("is rounded up to a valid value, and too much is refused", () => {
    const rate = shared({ default: "1", validValues: ["1", "4", "8"] });
    assert.deepEqual([rate("500m"), rate("2"), rate("8"), rate("9")], ["1", "4", "8", undefined]);
  });

  it("is rounded up to a step of the range", () => {
    const rate = shared({ default: "1", validRange: { min: "1", max: "8", step: "2" } });
    assert.deepEqual([rate("0"), rate("2"), rate("6"), rate("8")], ["1", "3", "7", undefined]);
  });
});

describe("devices that must be prepared", () => {
  const prepared = (conditions: readonly { type: string; status: string }[]) => {
    const ref = { driver: DRIVER, pool: "n1", device: "a" };
    const result = { ...ref, request: "gpu", bindingConditions: ["Ready"], bindingFailureConditions: ["Broken"] };
    const told = conditions.map((each) => ({ ...each, reason: "Because", message: "so", lastTransitionTime: "2026-01-01T00:00:00Z" }));
    return claim(
      "c",
      {},
      {
        allocation: { devices: { results: [result] }, allocationTimestamp: "2026-01-01T00:00:00Z" },
        devices: [{ ...ref, conditions: told }],
      },
    );
  };
  const startMs = Date.parse("2026-01-01T00:00:00Z");

  it("are waited for ten minutes long", () => {
    assert.deepEqual(bindingProgress(prepared([]), startMs), { state: "waiting", deadlineMs: startMs + 600_000 });
    assert.deepEqual(bindingProgress(prepared([{ type: "Ready", status: "True" }]), startMs), { state: "ready" });
    assert.deepEqual(bindingProgress(prepared([]), startMs + 600_001), { state: "failed", why: "claim c binding timeout" });
  });

  it("may turn out not to be usable", () => {
    const why = 'claim c binding failed: reason=Because, message="so"';
    assert.deepEqual(bindingProgress(prepared([{ type: "Broken", status: "True" }]), startMs), { state: "failed", why });
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

  it("prefers nodes where the first choice is to be had", () => {
    const big = { model: { string: "h100" } };
    const resourceslices = [slice("n1", [gpu("small")]), slice("n2", [gpu("big", { attributes: big })])];
    const firstAvailable = [
      { name: "big", deviceClassName: "gpu", selectors: where(`device.attributes["${DRIVER}"].model == "h100"`) },
      { name: "any", deviceClassName: "gpu" },
    ];
    const test = cluster({ resourceslices, resourceclaims: [claim("one", { requests: [{ name: "gpu", firstAvailable }] })] });
    const { n1 = 0, n2 = 0 } = test.scores(pod("one"));
    assert.ok(n2 > n1, `${n1} ${n2}`);
  });

  it("does not take devices that a rule has tainted", () => {
    const resourceslices = [slice("n1", [gpu("a")]), slice("n2", [gpu("a")])];
    const taint = { key: "broken", effect: "NoSchedule" };
    const rule = { metadata: { name: "r" }, spec: { deviceSelector: { driver: DRIVER, pool: "n1" }, taint } };
    const resourceclaims = [claim("new", { requests: [one({ allocationMode: "All" })] })];
    assert.equal(cluster({ resourceslices, resourceclaims, devicetaintrules: [rule] }).place(pod("new")), "n2");
  });

  it("says what is missing before it looks at nodes", () => {
    const resourceclaims = [claim("strange", { requests: [one({ deviceClassName: "tpu" })] })];
    const test = cluster({ resourceclaims });
    assert.equal(test.place(pod("strange")), "0/2 nodes are available: request gpu: device class tpu does not exist.");
    const templated = testPodInfo({ name: "p", spec: { resourceClaims: [{ name: "gpu", resourceClaimTemplateName: "t" }] } });
    assert.equal(test.place(templated), '0/2 nodes are available: pod "default/p": ResourceClaim not created yet.');
  });
});
