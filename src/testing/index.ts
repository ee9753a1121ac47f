export { SeededRandom, VirtualClock } from "../base/index.ts";
export { Cluster, type ClusterOptions, createCluster } from "./create-cluster.ts";
export { type SimulatedNode, type SimulatedNodeOptions, simulatedNode } from "./simulated-node.ts";
