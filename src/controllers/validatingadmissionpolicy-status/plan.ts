// What a policy's status says of its expressions.
import { expressionWarnings } from "../../api/index.ts";
import type { ValidatingAdmissionPolicy, ValidatingAdmissionPolicyStatus } from "../../api/types/admissionregistration/v1.ts";
import type { CustomResourceDefinition } from "../../api/types/apiextensions/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";

/** The new status; undefined when the policy has been checked as it stands. `definitions` are those of custom kinds. */
export function planStatus(
  policy: DeepReadonly<ValidatingAdmissionPolicy>,
  definitions: readonly DeepReadonly<CustomResourceDefinition>[],
): ValidatingAdmissionPolicyStatus | undefined {
  const { generation = 0 } = policy.metadata;
  if ((policy.status?.observedGeneration ?? -1) >= generation) return undefined;
  const warnings = expressionWarnings(policy, definitions);
  return { observedGeneration: generation, typeChecking: warnings.length === 0 ? {} : { expressionWarnings: warnings } };
}
