// The counters in the status of ReplicaSets and ReplicationControllers.
import { type FieldError, field } from "../../machinery/index.ts";
import type { ReplicaSetStatus } from "../types/apps/v1.ts";
import { checkNotNegative } from "../validation/checks.ts";

const counters = ["replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "observedGeneration"] as const;

export function validateReplicaStatus(status: ReplicaSetStatus = { replicas: 0 }): FieldError[] {
  const errors: FieldError[] = [];
  for (const name of counters) checkNotNegative(errors, `status.${name}`, status[name]);
  const { replicas, fullyLabeledReplicas = 0, readyReplicas = 0, availableReplicas = 0 } = status;
  const tooMany = "cannot be greater than status.replicas";
  if (fullyLabeledReplicas > replicas) errors.push(field.invalid("status.fullyLabeledReplicas", fullyLabeledReplicas, tooMany));
  if (readyReplicas > replicas) errors.push(field.invalid("status.readyReplicas", readyReplicas, tooMany));
  if (availableReplicas > replicas) errors.push(field.invalid("status.availableReplicas", availableReplicas, tooMany));
  if (availableReplicas > readyReplicas) {
    errors.push(field.invalid("status.availableReplicas", availableReplicas, "cannot be greater than readyReplicas"));
  }
  return errors;
}
