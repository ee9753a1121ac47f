export type { Controller, ControllerContext } from "./controller.ts";
export { deploymentController } from "./deployment/deployment-controller.ts";
export { endpointSliceController } from "./endpointslice/endpointslice-controller.ts";
export {
  type GarbageCollectorOptions,
  garbageCollectorController,
} from "./garbage-collector/garbage-collector-controller.ts";
export { type NamespaceControllerOptions, namespaceController } from "./namespace/namespace-controller.ts";
export { replicaSetController } from "./replicaset/replicaset-controller.ts";
export { type RootCaPublisherOptions, rootCaPublisher } from "./root-ca-publisher/root-ca-publisher-controller.ts";
export { serviceAccountController } from "./serviceaccount/serviceaccount-controller.ts";
