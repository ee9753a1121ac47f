// Keeps as many pods of each ReplicaSet as it asks for.
import { resources } from "../../api/index.ts";
import type { ReplicaSet } from "../../api/types/apps/v1.ts";
import type { Controller, ControllerContext } from "../controller.ts";
import { replicaController } from "./replica-reconciler.ts";

export function replicaSetController(context: ControllerContext): Controller {
  return replicaController(context, {
    name: "replicaset-controller",
    resource: resources.replicasets,
    asReplicaSet: (set) => set,
    withStatus: (set, status): ReplicaSet => ({ ...(set as ReplicaSet), status }),
  });
}
