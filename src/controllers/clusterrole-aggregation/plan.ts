// The rules of an aggregated role. Pure.
import type { ClusterRole, PolicyRule } from "../../api/types/rbac/v1.ts";
import { type DeepReadonly, deepEqual, labelSelectorMatcher } from "../../machinery/index.ts";

type Rules = DeepReadonly<PolicyRule[]>;

/** All rules of the roles that the selectors match, each once, by the roles' names; undefined when the role has just these. */
export function aggregatedRules(role: DeepReadonly<ClusterRole>, roles: readonly DeepReadonly<ClusterRole>[]): Rules | undefined {
  const selectors = role.aggregationRule?.clusterRoleSelectors;
  if (selectors === undefined) return undefined;
  const byName = roles.toSorted((a, b) => ((a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1));
  const rules: DeepReadonly<PolicyRule>[] = [];
  for (const selector of selectors) {
    const matcher = labelSelectorMatcher(selector);
    for (const other of byName) {
      if (other.metadata.name === role.metadata.name || !matcher.matches(other.metadata.labels)) continue;
      for (const rule of other.rules ?? []) if (!rules.some((known) => deepEqual(known, rule))) rules.push(rule);
    }
  }
  return deepEqual(rules, role.rules ?? []) ? undefined : rules;
}
