export { HollowCluster } from "./hollow-cluster.ts";
export { type HollowContext, type HollowNode, hollowNodes, MOST_HOLLOW_NODES } from "./hollow-context.ts";
export type { HollowBehaviours } from "./hollow-pod.ts";
export { HollowServer, type HollowServerOptions } from "./hollow-server.ts";
