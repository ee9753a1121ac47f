// Quota usage of services: their number, their load balancers and node ports.
import type { Service } from "../types/core/v1.ts";
import { objectCountName, type QuotaEvaluator } from "./evaluator.ts";

const COUNT = objectCountName("", "services");
const counted = new Set([COUNT, "services", "services.loadbalancers", "services.nodeports"]);

export const serviceEvaluator: QuotaEvaluator<Service> = {
  counts: (name) => counted.has(name),
  handles: ({ subresource }) => subresource === "",
  isInScope: () => false,
  usage({ spec }) {
    const { type, ports = [], allocateLoadBalancerNodePorts = true } = spec ?? {};
    const isBalanced = type === "LoadBalancer";
    let nodePorts = 0;
    if (type === "NodePort" || (isBalanced && allocateLoadBalancerNodePorts)) nodePorts = ports.length;
    else if (isBalanced) nodePorts = ports.filter(({ nodePort = 0 }) => nodePort !== 0).length;
    return { [COUNT]: "1", services: "1", "services.loadbalancers": isBalanced ? "1" : "0", "services.nodeports": String(nodePorts) };
  },
};
