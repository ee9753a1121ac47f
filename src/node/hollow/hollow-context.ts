// What all parts of the hollow nodes share.
import type { Clock, Logger, Random } from "../../base/index.ts";
import type { Client, InformerSource } from "../../client/index.ts";
import type { MachineInfo } from "../registration/node-facts.ts";
import type { HollowBehaviours } from "./hollow-pod.ts";

export interface HollowNode {
  readonly name: string;
  readonly podCidr: string;
}

export interface HollowContext {
  readonly client: Client;
  readonly informers: InformerSource;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** By name. */
  readonly nodes: ReadonlyMap<string, HollowNode>;
  /** All nodes have one address and port: their one server, which tells them apart by the Host header. */
  readonly nodeIp: string;
  readonly kubeletPort: number;
  /** What each node says it is. */
  readonly machine: MachineInfo;
  readonly maxPods: number;
  readonly behaviours: HollowBehaviours;
}

/** Nodes `hollow-1` … `hollow-<count>`, each with a /24 of 10.128.0.0/9 for its pods. */
export function hollowNodes(count: number): ReadonlyMap<string, HollowNode> {
  const nodes = Array.from({ length: count }, (_, position): HollowNode => {
    const index = position + 1;
    return { name: `hollow-${index}`, podCidr: `10.${128 + (index >> 8)}.${index & 255}.0/24` };
  });
  return new Map(nodes.map((node) => [node.name, node]));
}

/** As many as have a network each. */
export const MOST_HOLLOW_NODES = 128 * 256 - 1;
