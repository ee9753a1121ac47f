// Keeps as many pods of each ReplicationController as it asks for, as if it were a ReplicaSet.
import { resources } from "../../api/index.ts";
import type { ReplicaSet } from "../../api/types/apps/v1.ts";
import type { ReplicationController } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import type { Controller, ControllerContext } from "../controller.ts";
import { replicaController } from "../replicaset/replica-reconciler.ts";

export function replicationController(context: ControllerContext): Controller {
  return replicaController(context, {
    name: "replicationcontroller-controller",
    resource: resources.replicationcontrollers,
    asReplicaSet,
    withStatus: (controller, { terminatingReplicas: _, ...status }): ReplicationController => ({
      ...(controller as ReplicationController),
      status,
    }),
  });
}

function asReplicaSet(controller: DeepReadonly<ReplicationController>): DeepReadonly<ReplicaSet> {
  const { selector, replicas, minReadySeconds, template } = controller.spec ?? {};
  return { ...controller, spec: { selector: { matchLabels: selector }, replicas, minReadySeconds, template } };
}
