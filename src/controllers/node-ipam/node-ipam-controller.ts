// Gives every node a part of the cluster's pod network.
import { resources } from "../../api/index.ts";
import { WorkQueue } from "../../client/index.ts";
import { type Controller, type ControllerContext, keyedController } from "../controller.ts";
import { freeCidr, parseClusterCidr } from "./plan.ts";

export interface NodeIpamOptions {
  /** IPv4, such as `10.244.0.0/16`. */
  readonly clusterCidr: string;
  /** Default 24. */
  readonly nodeMask?: number;
}

/** @see kubernetes `pkg/controller/nodeipam/ipam/range_allocator.go` */
export function nodeIpamController(context: ControllerContext, { clusterCidr, nodeMask = 24 }: NodeIpamOptions): Controller {
  const { client, clock, informers, recorder } = context;
  const network = parseClusterCidr(clusterCidr, nodeMask);
  const queue = new WorkQueue<string>({ clock });
  const nodes = informers.informer(resources.nodes);
  /** What was given away and no informer has shown yet; by node. */
  const given = new Map<string, string>();
  nodes.onChange({
    added: ({ metadata }) => queue.add(metadata.name ?? ""),
    updated: (_, { metadata, spec }) => {
      if (spec?.podCIDR) given.delete(metadata.name ?? "");
      else queue.add(metadata.name ?? "");
    },
    deleted: ({ metadata }) => given.delete(metadata.name ?? ""),
  });
  const reconcile = async (name: string, signal: AbortSignal) => {
    const node = nodes.lister.get("", name);
    if (node === undefined || node.spec?.podCIDR || node.metadata.deletionTimestamp !== undefined) return undefined;
    const used = new Set([...nodes.lister.list().flatMap(({ spec }) => spec?.podCIDRs ?? []), ...given.values()]);
    const podCIDR = given.get(name) ?? freeCidr(network, used);
    if (podCIDR === undefined) {
      const reference = { kind: "Node", apiVersion: "v1", name, uid: node.metadata.uid, namespace: "" };
      recorder.event(reference, "Normal", "CIDRNotAvailable", `Node ${name} status is now: CIDRNotAvailable`);
      throw new NoFreeCidrError(name);
    }
    given.set(name, podCIDR);
    await client.update(resources.nodes, { ...node, spec: { ...node.spec, podCIDR, podCIDRs: [podCIDR] } }, { signal });
    return undefined;
  };
  // One at a time: a network must not be given twice.
  return keyedController({ name: "node-ipam-controller", context, queue, reconcile, concurrency: 1 });
}

export class NoFreeCidrError extends Error {
  readonly code = "NO_FREE_CIDR";

  constructor(node: string) {
    super(`failed to allocate cidr for node ${node}: CIDR allocation failed; there are no remaining CIDRs left to allocate`);
  }
}
