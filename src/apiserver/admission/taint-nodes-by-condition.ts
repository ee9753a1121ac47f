// TaintNodesByCondition: a new node takes no pods until it has said that it is ready.
import { type AdmissionPlugin, isCreation } from "./admission.ts";

const NOT_READY = "node.kubernetes.io/not-ready";

interface Taint {
  readonly key: string;
  readonly effect: string;
}

export const taintNodesByCondition: AdmissionPlugin = {
  name: "TaintNodesByCondition",
  resources: ["/nodes"],
  mayMutate: isCreation,
  mutate({ operation, object, scope }) {
    if (operation !== "CREATE" || object === undefined || scope.subresource !== "") return;
    const spec = (object["spec"] ??= {}) as { taints?: Taint[] };
    const has = (spec.taints ?? []).some(({ key, effect }) => key === NOT_READY && effect === "NoSchedule");
    if (!has) spec.taints = [...(spec.taints ?? []), { key: NOT_READY, effect: "NoSchedule" }];
  },
};
