// DefaultTolerationSeconds: pods stay five minutes on a node that is not ready or not reachable, unless they say otherwise.
import { type AdmissionPlugin, isCreation } from "./admission.ts";
import { createdPodSpec, type Toleration } from "./pod-fields.ts";

const TOLERATION_SECONDS = 300;
const taints = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];

export const defaultTolerationSeconds: AdmissionPlugin = {
  name: "DefaultTolerationSeconds",
  resources: ["/pods"],
  mayMutate: isCreation,
  mutate(request) {
    const spec = createdPodSpec(request);
    if (spec === undefined) return;
    const tolerations = spec.tolerations ?? [];
    const missing = taints.filter((taint) => !tolerations.some((toleration) => speaksOf(toleration, taint)));
    if (missing.length === 0) return;
    const added = missing.map((key) => ({ key, operator: "Exists", effect: "NoExecute", tolerationSeconds: TOLERATION_SECONDS }));
    spec.tolerations = [...tolerations, ...added];
  },
};

function speaksOf({ key = "", effect = "" }: Toleration, taint: string): boolean {
  return (key === taint || key === "") && (effect === "NoExecute" || effect === "");
}
