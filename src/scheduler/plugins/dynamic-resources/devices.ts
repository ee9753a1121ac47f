// Which devices there are for pods on a node, from ResourceSlices. Pure.
import { matchesNodeSelectorTerm } from "../../../api/index.ts";
import type { Node, NodeSelector } from "../../../api/types/core/v1.ts";
import type { Device, ResourceSlice } from "../../../api/types/resource/v1.ts";
import type { DeepReadonly } from "../../../machinery/index.ts";

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
}

export function deviceId(device: { readonly driver: string; readonly pool: string; readonly device: string }): string {
  return `${device.driver}/${device.pool}/${device.device}`;
}

/** All devices of complete pools: of the newest generation, with all of its slices. */
export function completeDevices(slices: readonly Slice[]): PoolDevice[] {
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
    .flatMap((pool) => pool.flatMap(devicesOf));
}

function devicesOf({ spec }: Slice): PoolDevice[] {
  const { driver, pool, perDeviceNodeSelection } = spec;
  return (spec.devices ?? []).map((device) => {
    const { nodeName, nodeSelector } = perDeviceNodeSelection === true ? device : spec;
    return { driver, pool: pool.name, device, id: deviceId({ driver, pool: pool.name, device: device.name }), nodeName, nodeSelector };
  });
}

export function isUsableOn({ nodeName, nodeSelector }: PoolDevice, node: ANode): boolean {
  if (nodeName) return nodeName === node.metadata.name;
  return nodeSelector === undefined || selects(nodeSelector, node);
}

export function selects({ nodeSelectorTerms }: DeepReadonly<NodeSelector>, node: ANode): boolean {
  return nodeSelectorTerms.some((term) => matchesNodeSelectorTerm(node, term));
}

/** Where a claim with these devices can be used; undefined: everywhere. */
export function commonNodeSelector(devices: readonly PoolDevice[]): DeepReadonly<NodeSelector> | undefined {
  const local = devices.find(({ nodeName }) => nodeName);
  if (local?.nodeName !== undefined) {
    return { nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values: [local.nodeName] }] }] };
  }
  // The selector of a slice has one term.
  const matchExpressions = devices.flatMap(({ nodeSelector }) => nodeSelector?.nodeSelectorTerms[0]?.matchExpressions ?? []);
  return matchExpressions.length === 0 ? undefined : { nodeSelectorTerms: [{ matchExpressions }] };
}
