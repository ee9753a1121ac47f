// Selectors of device classes and requests: CEL expressions about one device.
import type { DeviceAttribute, DeviceSelector } from "../../../api/types/resource/v1.ts";
import { LruMap } from "../../../client/index.ts";
import {
  CelEnvironment,
  type CelProgram,
  CelQuantity,
  type CelType,
  celSemver,
  type DeepReadonly,
  parseQuantity,
} from "../../../machinery/index.ts";
import type { PoolDevice } from "./devices.ts";

const mapOf = (value: CelType): CelType => ({ kind: "map", key: "string", value });
const quantity: CelType = { kind: "opaque", name: "kubernetes.Quantity", parameters: [] };

const deviceType: CelType = {
  kind: "object",
  name: "kubernetes.DRADevice",
  fields: new Map<string, { readonly type: CelType }>([
    ["driver", { type: "string" }],
    ["attributes", { type: mapOf(mapOf("dyn")) }],
    ["capacity", { type: mapOf(mapOf(quantity)) }],
    ["allowMultipleAllocations", { type: "bool" }],
  ]),
};

const environment = new CelEnvironment({ variables: { device: deviceType } });
const programs = new LruMap<string, CelProgram>(1024);
const shown = new WeakMap<PoolDevice["device"], object>();

/** Whether all selectors say yes. Throws CelCompileError and CelEvaluationError. */
export function selectsDevice(selectors: readonly DeepReadonly<DeviceSelector>[] = [], device: PoolDevice): boolean {
  return selectors.every(({ cel }) => cel === undefined || compiled(cel.expression).evaluate({ device: shownDevice(device) }) === true);
}

function compiled(expression: string): CelProgram {
  const known = programs.get(expression);
  if (known !== undefined) return known;
  const program = environment.compile(expression);
  programs.set(expression, program);
  return program;
}

/** The device as expressions see it: names grouped by their domain, which is the driver's unless they say. */
function shownDevice({ driver, device }: PoolDevice): object {
  const known = shown.get(device);
  if (known !== undefined) return known;
  const { attributes = {}, capacity = {}, allowMultipleAllocations = false } = device;
  const made = {
    driver,
    allowMultipleAllocations,
    attributes: byDomain(attributes, driver, attributeValue),
    capacity: byDomain(capacity, driver, ({ value }) => new CelQuantity(parseQuantity(value))),
  };
  shown.set(device, made);
  return made;
}

function byDomain<T>(
  values: Readonly<Record<string, T>>,
  driver: string,
  show: (value: T) => unknown,
): Record<string, Record<string, unknown>> {
  // Domains without names are empty and no error.
  const domains: Record<string, Record<string, unknown>> = { [driver]: {} };
  for (const [name, value] of Object.entries(values)) {
    const slash = name.indexOf("/");
    const domain = slash < 0 ? driver : name.slice(0, slash);
    domains[domain] = { ...domains[domain], [name.slice(slash + 1)]: show(value) };
  }
  return domains;
}

function attributeValue({ bool, int, string, version }: DeepReadonly<DeviceAttribute>): unknown {
  return version === undefined ? (bool ?? int ?? string) : celSemver(version);
}

/** The attribute of that full name; a name of the driver's own domain is also found without it. */
export function attributeOf({ driver, device }: PoolDevice, name: string): string | undefined {
  const attributes = device.attributes ?? {};
  const own = name.startsWith(`${driver}/`) ? attributes[name.slice(driver.length + 1)] : undefined;
  const attribute = attributes[name] ?? own;
  return attribute === undefined ? undefined : JSON.stringify(attribute);
}
