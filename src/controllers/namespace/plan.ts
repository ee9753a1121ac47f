// What the status of a namespace that is being deleted says about what is left in it.
import type { ResourceRef } from "../../api/index.ts";
import type { Namespace, NamespaceCondition } from "../../api/types/core/v1.ts";
import type { DeepReadonly, KubeObject } from "../../machinery/index.ts";

/** What one round of deletion has found. */
export interface DeletionOutcome {
  readonly discoveryError?: string | undefined;
  /** Of deletions that the server refused. */
  readonly errors: readonly string[];
  /** By `resource.group`: objects that are still there. */
  readonly remaining: ReadonlyMap<string, number>;
  /** By finalizer: objects that it keeps. */
  readonly finalizers: ReadonlyMap<string, number>;
}

/** Counts what is left of one resource into `outcome`'s maps. */
export function countRemaining(
  { remaining, finalizers }: { readonly remaining: Map<string, number>; readonly finalizers: Map<string, number> },
  { resource, group }: ResourceRef<KubeObject>,
  objects: readonly DeepReadonly<KubeObject>[],
): void {
  if (objects.length === 0) return;
  remaining.set(`${resource}.${group}`, objects.length);
  for (const { metadata } of objects) {
    for (const finalizer of metadata.finalizers ?? []) finalizers.set(finalizer, (finalizers.get(finalizer) ?? 0) + 1);
  }
}

/** How long until what remains can be expected to be gone; undefined when it is. */
export function recheckAfterMs(objects: readonly DeepReadonly<KubeObject>[], outcome: DeletionOutcome): number | undefined {
  if (outcome.remaining.size === 0) return undefined;
  const seconds = Math.max(0, ...objects.map(({ metadata }) => metadata.deletionGracePeriodSeconds ?? 0));
  return (Math.floor(seconds / 2) + 1) * 1000;
}

/**
 * The namespace's conditions after a round.
 * @see kubernetes `pkg/controller/namespace/deletion/status_condition_utils.go`
 */
export function namespaceConditions(namespace: DeepReadonly<Namespace>, outcome: DeletionOutcome, now: string): NamespaceCondition[] {
  const conditions: NamespaceCondition[] = [...(namespace.status?.conditions ?? [])];
  for (const wanted of wantedConditions(outcome)) {
    const index = conditions.findIndex(({ type }) => type === wanted.type);
    const known = conditions[index];
    if (known === undefined) conditions.push({ ...wanted, lastTransitionTime: now });
    else if (known.status !== wanted.status || known.reason !== wanted.reason || known.message !== wanted.message)
      conditions[index] = { ...wanted, lastTransitionTime: now };
  }
  return conditions;
}

function wantedConditions({ discoveryError, errors, remaining, finalizers }: DeletionOutcome): NamespaceCondition[] {
  const total = [...remaining.values()].reduce((sum, count) => sum + count, 0);
  return [
    condition("NamespaceDeletionDiscoveryFailure", {
      ok: ["ResourcesDiscovered", "All resources successfully discovered"],
      failed: discoveryError === undefined ? undefined : ["DiscoveryFailed", discoveryError],
    }),
    condition("NamespaceDeletionGroupVersionParsingFailure", {
      ok: ["ParsedGroupVersions", "All legacy kube types successfully parsed"],
      failed: undefined,
    }),
    condition("NamespaceDeletionContentFailure", {
      ok: ["ContentDeleted", "All content successfully deleted, may be waiting on finalization"],
      failed:
        errors.length === 0
          ? undefined
          : ["ContentDeletionFailed", `Failed to delete all resource types, ${total} remaining: ${[...errors].sort().join(", ")}`],
    }),
    condition("NamespaceContentRemaining", {
      ok: ["ContentRemoved", "All content successfully removed"],
      failed: listing(
        remaining,
        "SomeResourcesRemain",
        "Some resources are remaining: ",
        (name, n) => `${name} has ${n} resource instances`,
      ),
    }),
    condition("NamespaceFinalizersRemaining", {
      ok: ["ContentHasNoFinalizers", "All content-preserving finalizers finished"],
      failed: listing(
        finalizers,
        "SomeFinalizersRemain",
        "Some content in the namespace has finalizers remaining: ",
        (name, n) => `${name} in ${n} resource instances`,
      ),
    }),
  ];
}

type ReasonAndMessage = readonly [reason: string, message: string];

function condition(type: string, { ok, failed }: { readonly ok: ReasonAndMessage; readonly failed: ReasonAndMessage | undefined }) {
  const [reason, message] = failed ?? ok;
  return { type, status: failed === undefined ? "False" : "True", reason, message };
}

function listing(
  counts: ReadonlyMap<string, number>,
  reason: string,
  prefix: string,
  format: (name: string, count: number) => string,
): ReasonAndMessage | undefined {
  if (counts.size === 0) return undefined;
  const texts = [...counts].filter(([, count]) => count > 0).map(([name, count]) => format(name, count));
  return [reason, prefix + texts.sort().join(", ")];
}
