import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import type {
  CapacityRequestPolicy,
  Device,
  DeviceCounterConsumption,
  DeviceRequest,
  DeviceTaint,
  ExactDeviceRequest,
  ResourceSlice,
} from "../../api/types/resource/v1.ts";
import { chooseDevices } from "../plugins/dynamic-resources/allocator.ts";
import { DeviceUse } from "../plugins/dynamic-resources/device-use.ts";
import { completeDevices } from "../plugins/dynamic-resources/devices.ts";
import { type ReferenceAllocation, referenceAllocations } from "./reference-devices.fixture.ts";

const seldom = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 3 });

const policy = fc.constantFrom<(CapacityRequestPolicy | undefined)[]>(
  undefined,
  { default: "2" },
  { default: "2", validValues: ["2", "4"] },
  { default: "1", validRange: { min: "1", max: "6", step: "2" } },
);

const deviceShape = fc.record({
  taints: fc.constantFrom<DeviceTaint[][]>(
    [],
    [],
    [{ key: "old", effect: "NoSchedule" }],
    [{ key: "sick", effect: "NoExecute" }],
    [{ key: "x", effect: "None" }],
  ),
  consumesCounters: fc.constantFrom<DeviceCounterConsumption[][]>(
    [],
    [{ counterSet: "s", counters: { memory: { value: "2" } } }],
    [{ counterSet: "s", counters: { memory: { value: "4" }, cores: { value: "1" } } }],
  ),
  isShared: fc.boolean(),
  size: fc.constantFrom("4", "8"),
  requestPolicy: policy,
});

const exact: fc.Arbitrary<ExactDeviceRequest> = fc.record({
  deviceClassName: fc.constant("any"),
  allocationMode: fc.constantFrom("ExactCount", "ExactCount", "All"),
  count: fc.constantFrom(1, 1, 2),
  adminAccess: fc.constantFrom(false, false, false, true),
  tolerations: fc.constantFrom([], [{ key: "old", operator: "Exists" }]),
  capacity: seldom(fc.record({ requests: fc.record({ size: fc.constantFrom("1", "3", "5") }) })),
});

const request = fc.oneof(
  { weight: 3, arbitrary: fc.record({ exactly: exact }) },
  { weight: 1, arbitrary: fc.record({ firstAvailable: fc.array(exact, { minLength: 1, maxLength: 2 }) }) },
);

type RequestShape = { readonly exactly?: ExactDeviceRequest; readonly firstAvailable?: readonly ExactDeviceRequest[] };

function requestOf({ exactly, firstAvailable = [] }: RequestShape, index: number): DeviceRequest {
  const name = `r${index}`;
  return exactly === undefined
    ? { name, firstAvailable: firstAvailable.map(({ adminAccess: _, ...each }, i) => ({ name: `s${i}`, ...each })) }
    : { name, exactly };
}

function deviceOf(
  { isShared, size, requestPolicy, ...more }: typeof deviceShape extends fc.Arbitrary<infer T> ? T : never,
  index: number,
): Device {
  const capacity = { size: { value: size, ...(isShared && requestPolicy !== undefined ? { requestPolicy } : {}) } };
  return { name: `d${index}`, ...more, capacity, ...(isShared ? { allowMultipleAllocations: true } : {}) };
}

const claim = (requests: DeviceRequest[]) => ({ metadata: { name: "c", namespace: "default", uid: "c" }, spec: { devices: { requests } } });

it("allocates what the reference does, claim after claim", () => {
  const history = fc.record({
    shapes: fc.array(deviceShape, { minLength: 1, maxLength: 4 }),
    claims: fc.array(fc.array(request, { minLength: 1, maxLength: 2 }), { minLength: 1, maxLength: 4 }),
  });
  const any = { metadata: { name: "any" }, spec: {} };
  fc.assert(
    fc.property(history, ({ shapes, claims }) => {
      const sharedCounters = [{ name: "s", counters: { memory: { value: "6" }, cores: { value: "2" } } }];
      const pool = { name: "p", generation: 1, resourceSliceCount: 1 };
      const spec: ResourceSlice["spec"] = { driver: "d", pool, allNodes: true, devices: shapes.map(deviceOf), sharedCounters };
      const devices = completeDevices([{ metadata: { name: "s" }, spec }]);
      const taken: ReferenceAllocation[] = [];
      for (const requests of claims.map((each) => each.map(requestOf))) {
        const results = taken.map(({ request: name, device, adminAccess, consumed }) => ({
          ...{ request: name, driver: "d", pool: "p", device, adminAccess },
          ...(devices.find((each) => each.device.name === device)?.device.allowMultipleAllocations === true
            ? { shareID: "s", consumedCapacity: Object.fromEntries(Object.entries(consumed).map(([key, value]) => [key, `${value}`])) }
            : {}),
        }));
        const use = DeviceUse.of(results, devices);
        const chosen = chooseDevices({ claims: [claim(requests)], devices, use, deviceClass: () => any })?.map(
          ({ alternative, device, consumed }) => ({
            request: alternative.name,
            device: device.device.name,
            adminAccess: alternative.adminAccess,
            consumed: Object.fromEntries(
              device.device.allowMultipleAllocations === true ? [...consumed].map(([name, amount]) => [name, amount.value()]) : [],
            ),
          }),
        );
        const allowed = referenceAllocations({ slice: spec, taken, requests });
        if (chosen === undefined) assert.deepEqual(allowed, []);
        else assert.ok(allowed.map((way) => JSON.stringify(way)).includes(JSON.stringify(chosen)), JSON.stringify({ chosen, allowed }));
        taken.push(...(chosen ?? []));
      }
    }),
    { numRuns: 500 },
  );
});
