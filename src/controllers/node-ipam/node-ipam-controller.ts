// Gives every node a part of the cluster's pod network.
import { resources } from "../../api/index.ts";
import type { Node } from "../../api/types/core/v1.ts";
import { WorkQueue } from "../../client/index.ts";
import { type DeepReadonly, deepEqual } from "../../machinery/index.ts";
import { type Controller, type ControllerContext, keyedController } from "../controller.ts";
import { CidrSet, parseClusterCidr } from "./plan.ts";

export interface NodeIpamOptions {
  /** IPv4, such as `10.244.0.0/16`. */
  readonly clusterCidr: string;
  /** Default 24. */
  readonly nodeMask?: number;
}

/** @see kubernetes `pkg/controller/nodeipam/ipam/range_allocator.go` */
export function nodeIpamController(context: ControllerContext, { clusterCidr, nodeMask = 24 }: NodeIpamOptions): Controller {
  const { client, clock, informers, logger, recorder } = context;
  const cidrs = new CidrSet(parseClusterCidr(clusterCidr, nodeMask));
  const queue = new WorkQueue<string>({ clock });
  const nodes = informers.informer(resources.nodes);
  /** What each node has, or was given and no informer has shown yet. */
  const held = new Map<string, readonly string[]>();
  /** Nodes for which there was nothing left. */
  const waiting = new Set<string>();

  const hold = (name: string, ofNode: readonly string[]) => {
    const before = held.get(name) ?? [];
    if (deepEqual(before, ofNode)) return;
    for (const cidr of ofNode) cidrs.occupy(cidr);
    if (ofNode.length > 0) held.set(name, ofNode);
    else held.delete(name);
    for (const cidr of before) {
      cidrs.release(cidr);
      const [next] = waiting;
      if (next === undefined) continue;
      waiting.delete(next);
      queue.add(next);
    }
  };
  const see = ({ metadata: { name = "" }, spec }: DeepReadonly<Node>) => {
    if (spec?.podCIDRs === undefined || spec.podCIDRs.length === 0) {
      queue.add(name);
      return;
    }
    waiting.delete(name);
    hold(name, spec.podCIDRs);
  };
  nodes.onChange({
    added: see,
    updated: (_, node) => see(node),
    deleted: ({ metadata: { name = "" } }) => {
      waiting.delete(name);
      hold(name, []);
    },
  });

  const reconcile = async (name: string, signal: AbortSignal) => {
    const node = nodes.lister.get("", name);
    if (node === undefined || node.spec?.podCIDR || node.metadata.deletionTimestamp !== undefined) return undefined;
    const podCIDR = held.get(name)?.[0] ?? cidrs.take();
    if (podCIDR === undefined) {
      waiting.add(name);
      const reference = { kind: "Node", apiVersion: "v1", name, uid: node.metadata.uid, namespace: "" };
      recorder.event(reference, "Normal", "CIDRNotAvailable", `Node ${name} status is now: CIDRNotAvailable`);
      logger.warn("no network is left for a node's pods", { node: name });
      return undefined;
    }
    held.set(name, [podCIDR]);
    await client.update(resources.nodes, { ...node, spec: { ...node.spec, podCIDR, podCIDRs: [podCIDR] } }, { signal });
    return undefined;
  };
  // One at a time: a network must not be given twice.
  return keyedController({ name: "node-ipam-controller", context, queue, reconcile, concurrency: 1 });
}
