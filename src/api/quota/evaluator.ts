// What a kind answers for quotas: which resources of a quota it is counted by, and how much one object takes.
import type { DeepReadonly, KubeObject } from "../../machinery/index.ts";
import type { ScopedResourceSelectorRequirement } from "../types/core/v1.ts";
import type { ResourceList } from "./resource-list.ts";

/** A write as evaluators see it. */
export interface QuotaRequest {
  readonly operation: "CREATE" | "UPDATE";
  readonly subresource: string;
  readonly object: DeepReadonly<KubeObject>;
  readonly old: DeepReadonly<KubeObject> | undefined;
}

export type ScopeSelector = DeepReadonly<ScopedResourceSelectorRequirement>;

/** Pure; T is the kind's type. */
export interface QuotaEvaluator<T extends KubeObject = KubeObject> {
  /** Whether a quota's resource of that name is used up by objects of the kind. */
  counts(resourceName: string): boolean;
  /** Whether a write can change the usage at all. */
  handles(request: QuotaRequest): boolean;
  /** Whether an object falls into a scope. */
  isInScope(object: DeepReadonly<T>, scope: ScopeSelector): boolean;
  usage(object: DeepReadonly<T>, nowMs: number): ResourceList;
  /** Why an object may not be created where `required` resources are limited. */
  missing?(object: DeepReadonly<T>, required: readonly string[]): string | undefined;
}

/** `count/pods`, `count/deployments.apps`: how quotas name the number of objects of any kind. */
export function objectCountName(group: string, plural: string): string {
  return group === "" ? `count/${plural}` : `count/${plural}.${group}`;
}

/** Whether one of `values` of the scope's key satisfies its operator; none at all is a missing label. */
export function matchesScopeValues({ operator, values = [] }: ScopeSelector, own: readonly string[]): boolean {
  switch (operator) {
    case "Exists":
      return own.length > 0;
    case "DoesNotExist":
      return own.length === 0;
    case "In":
      return own.some((value) => values.includes(value));
    default:
      return own.length === 0 || own.some((value) => !values.includes(value));
  }
}
