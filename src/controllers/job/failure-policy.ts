// spec.podFailurePolicy: what the failure of a pod means for its job, by exit codes and pod conditions.
import type { PodFailurePolicy, PodFailurePolicyOnExitCodesRequirement } from "../../api/types/batch/v1.ts";
import type { ContainerStatus, Pod } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";

export interface FailureMatch {
  /** `Count`, `Ignore`, `FailIndex` or `FailJob`. */
  readonly action: string;
  /** Why the job fails, for `FailJob`. */
  readonly message: string;
}

/** The first rule that a failed pod matches; undefined: the failure counts as without a policy. */
export function matchFailurePolicy(policy: DeepReadonly<PodFailurePolicy> | undefined, pod: DeepReadonly<Pod>): FailureMatch | undefined {
  const path = `${pod.metadata.namespace}/${pod.metadata.name}`;
  for (const [index, { action, onExitCodes, onPodConditions = [] }] of (policy?.rules ?? []).entries()) {
    const rule = `matching ${action} rule at index ${index}`;
    if (onExitCodes !== undefined) {
      const container = matchingContainer(pod, onExitCodes);
      const exitCode = container?.state?.terminated?.exitCode;
      if (container !== undefined)
        return { action, message: `Container ${container.name} for pod ${path} failed with exit code ${exitCode} ${rule}` };
      continue;
    }
    const condition = pod.status?.conditions?.find(({ type, status }) =>
      onPodConditions.some((pattern) => pattern.type === type && (pattern.status ?? "True") === status),
    );
    if (condition !== undefined) return { action, message: `Pod ${path} has condition ${condition.type} ${rule}` };
  }
  return undefined;
}

function matchingContainer(
  { status }: DeepReadonly<Pod>,
  { containerName, operator, values }: DeepReadonly<PodFailurePolicyOnExitCodesRequirement>,
): DeepReadonly<ContainerStatus> | undefined {
  return [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])].find(({ name, state }) => {
    const exitCode = state?.terminated?.exitCode ?? 0;
    if (exitCode === 0 || (containerName !== undefined && containerName !== name)) return false;
    return operator === "In" ? values.includes(exitCode) : operator === "NotIn" && !values.includes(exitCode);
  });
}
