export type { Controller, ControllerContext } from "./controller.ts";
export { deploymentController } from "./deployment/deployment-controller.ts";
export { replicaSetController } from "./replicaset/replicaset-controller.ts";
