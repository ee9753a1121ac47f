// Groups of the Kubernetes project are protected: a definition in one of them has to say where its API was approved.
// @see https://github.com/kubernetes/enhancements/pull/1111

const annotation = "api-approved.kubernetes.io";

/** What the annotation says. */
export interface ApprovalJudgement {
  readonly state: "approved" | "unapproved" | "missing" | "invalid";
  readonly message: string;
}

/** Whether the group belongs to the Kubernetes project. */
export function isProtectedGroup(group: string): boolean {
  return group === "k8s.io" || group === "kubernetes.io" || group.endsWith(".k8s.io") || group.endsWith(".kubernetes.io");
}

/** Reads the approval from an object's annotations. */
export function judgeApproval(annotations: Readonly<Record<string, string>> | undefined): ApprovalJudgement {
  const value = annotations?.[annotation] ?? "";
  if (value === "")
    return {
      state: "missing",
      message: `protected groups must have approval annotation "${annotation}", see https://github.com/kubernetes/enhancements/pull/1111`,
    };
  if (value.startsWith("unapproved")) return { state: "unapproved", message: `not approved: "${value}"` };
  if (/^https?:\/\/[^/]+\/.*/.test(value) && URL.canParse(value)) return { state: "approved", message: `approved in ${value}` };
  return {
    state: "invalid",
    message: `protected groups must have approval annotation "${annotation}" with either a URL or a reason starting with "unapproved", see https://github.com/kubernetes/enhancements/pull/1111`,
  };
}
