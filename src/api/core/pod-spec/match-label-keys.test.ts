import assert from "node:assert/strict";
import { it } from "node:test";
import type { Pod } from "../../types/core/v1.ts";
import { applyMatchLabelKeys } from "./match-label-keys.ts";

it("narrows the selectors of a new pod down to its own values of the named labels", () => {
  const labelSelector = () => ({ matchLabels: { app: "web" } });
  const term = (more: object) => ({ topologyKey: "zone", labelSelector: labelSelector(), ...more });
  const pod: Pod = {
    metadata: { name: "p", labels: { app: "web", rev: "2", tenant: "t" } },
    spec: {
      containers: [],
      affinity: {
        podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term({ matchLabelKeys: ["rev", "absent"] })] },
        podAntiAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: term({ mismatchLabelKeys: ["tenant"] }) }],
        },
      },
      topologySpreadConstraints: [
        { topologyKey: "zone", maxSkew: 1, whenUnsatisfiable: "DoNotSchedule", labelSelector: labelSelector(), matchLabelKeys: ["rev"] },
      ],
    },
  };
  applyMatchLabelKeys(pod);
  const { affinity, topologySpreadConstraints } = pod.spec ?? {};
  const rev = [{ key: "rev", operator: "In", values: ["2"] }];
  assert.deepEqual(affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.[0]?.labelSelector?.matchExpressions, rev);
  const repelled = affinity?.podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution?.[0]?.podAffinityTerm.labelSelector;
  assert.deepEqual(repelled?.matchExpressions, [{ key: "tenant", operator: "NotIn", values: ["t"] }]);
  assert.deepEqual(topologySpreadConstraints?.[0]?.labelSelector?.matchExpressions, rev);
});
