// Which devices there are for pods on a node, from ResourceSlices and DeviceTaintRules. Pure.
import { matchesNodeSelectorTerm, taintsOfDevice } from "../../../api/index.ts";
import type { Node, NodeSelector } from "../../../api/types/core/v1.ts";
import type { Device, DeviceTaint, ResourceSlice } from "../../../api/types/resource/v1.ts";
import type { DeviceTaintRule } from "../../../api/types/resource/v1beta2.ts";
import { type DeepReadonly, parseQuantity } from "../../../machinery/index.ts";

type ANode = DeepReadonly<Node>;
type Slice = DeepReadonly<ResourceSlice>;

export interface PoolDevice {
  readonly driver: string;
  readonly pool: string;
  readonly device: DeepReadonly<Device>;
  /** Tells it from all other devices. */
  readonly id: string;
  /** Where pods can use it: one node, the nodes of a selector, or (undefined) all. */
  readonly nodeName?: string | undefined;
  readonly nodeSelector?: DeepReadonly<NodeSelector> | undefined;
  /** Those of the driver and those of rules. */
  readonly taints: readonly DeepReadonly<DeviceTaint>[];
  /** What the devices of the pool share, in billionths, by `counterSet/counter`. */
  readonly counters: ReadonlyMap<string, bigint>;
}

export function deviceId(device: { readonly driver: string; readonly pool: string; readonly device: string }): string {
  return `${device.driver}/${device.pool}/${device.device}`;
}

/** All devices of complete pools: of the newest generation, with all of its slices. */
export function completeDevices(slices: readonly Slice[], rules: readonly DeepReadonly<DeviceTaintRule>[] = []): PoolDevice[] {
  const pools = new Map<string, Slice[]>();
  for (const slice of slices) {
    const key = `${slice.spec.driver}/${slice.spec.pool.name}`;
    const known = pools.get(key);
    const generation = known?.[0]?.spec.pool.generation ?? Number.NEGATIVE_INFINITY;
    if (slice.spec.pool.generation > generation) pools.set(key, [slice]);
    else if (slice.spec.pool.generation === generation) known?.push(slice);
  }
  return [...pools.values()]
    .filter((pool) => pool.length === pool[0]?.spec.pool.resourceSliceCount)
    .flatMap((pool) => {
      const counters = sharedCounters(pool);
      return pool.flatMap((slice) => devicesOf(slice, counters, rules));
    });
}

function sharedCounters(pool: readonly Slice[]): ReadonlyMap<string, bigint> {
  const sets = pool.flatMap(({ spec }) => spec.sharedCounters ?? []);
  return new Map(
    sets.flatMap((set) =>
      Object.entries(set.counters).map(([name, { value }]) => [`${set.name}/${name}`, parseQuantity(value).nanoValue()] as const),
    ),
  );
}

function devicesOf({ spec }: Slice, counters: ReadonlyMap<string, bigint>, rules: readonly DeepReadonly<DeviceTaintRule>[]): PoolDevice[] {
  const { driver, perDeviceNodeSelection } = spec;
  const pool = spec.pool.name;
  return (spec.devices ?? []).map((device) => {
    const { nodeName, nodeSelector } = perDeviceNodeSelection === true ? device : spec;
    const ref = { driver, pool, device: device.name };
    return { driver, pool, device, id: deviceId(ref), nodeName, nodeSelector, taints: taintsOfDevice(ref, device.taints, rules), counters };
  });
}

export function isUsableOn({ nodeName, nodeSelector }: PoolDevice, node: ANode): boolean {
  if (nodeName) return nodeName === node.metadata.name;
  return nodeSelector === undefined || selects(nodeSelector, node);
}

export function selects({ nodeSelectorTerms }: DeepReadonly<NodeSelector>, node: ANode): boolean {
  return nodeSelectorTerms.some((term) => matchesNodeSelectorTerm(node, term));
}

/** Where a claim with these devices, allocated for `nodeName`, can be used; undefined: everywhere. */
export function commonNodeSelector(devices: readonly PoolDevice[], nodeName: string): DeepReadonly<NodeSelector> | undefined {
  if (devices.some((each) => each.nodeName || each.device.bindsToNode === true)) {
    return { nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values: [nodeName] }] }] };
  }
  // The selector of a slice has one term.
  const matchExpressions = devices.flatMap(({ nodeSelector }) => nodeSelector?.nodeSelectorTerms[0]?.matchExpressions ?? []);
  return matchExpressions.length === 0 ? undefined : { nodeSelectorTerms: [{ matchExpressions }] };
}
