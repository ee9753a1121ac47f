// Where a node's kubelet is reached.
import type { Node } from "../../api/types/core/v1.ts";
import { type DeepReadonly, internalError } from "../../machinery/index.ts";

const DEFAULT_KUBELET_PORT = 10250;

/** @throws StatusError when the node has told no address. */
export function kubeletAddress(node: DeepReadonly<Node>): { readonly host: string; readonly port: number } {
  const address = node.status?.addresses?.find(({ type }) => type === "InternalIP");
  if (address === undefined) throw internalError(new Error(`no preferred addresses found; known addresses: []`));
  return { host: address.address, port: node.status?.daemonEndpoints?.kubeletEndpoint?.Port ?? DEFAULT_KUBELET_PORT };
}
