// The history of a DaemonSet or StatefulSet: a ControllerRevision for each pod template it has had, numbered in order.
// What `kubectl rollout history` lists and `rollout undo` applies.
import type { ControllerRevision } from "../api/types/apps/v1.ts";
import type { PodTemplateSpec } from "../api/types/core/v1.ts";
import { type DeepReadonly, deepEqual, type KubeObject, type OwnerReference } from "../machinery/index.ts";
import { templateHash } from "./template-hash.ts";

/** Which revision a pod was made from. */
export const REVISION_HASH_LABEL = "controller-revision-hash";

/** A set whose template has a history. */
export interface RevisionedSet extends KubeObject {
  readonly spec?: { readonly template: DeepReadonly<PodTemplateSpec>; readonly revisionHistoryLimit?: number | undefined } | undefined;
  readonly status?: { readonly collisionCount?: number | undefined } | undefined;
}

export interface RevisionForm {
  readonly owner: OwnerReference;
  /** The label that holds the revision's hash. */
  readonly hashLabel: string;
}

export interface RevisionPlan {
  /** The revision of the set's template; `create` or `renumber` says if it has to be written first. */
  readonly current: DeepReadonly<ControllerRevision>;
  readonly write: "create" | "renumber" | undefined;
  /** All others, oldest first. */
  readonly old: readonly DeepReadonly<ControllerRevision>[];
  /** Those of the others that remember the same template. */
  readonly duplicates: readonly DeepReadonly<ControllerRevision>[];
}

/**
 * A strategic merge patch that puts the template back.
 * @see kubernetes `pkg/controller/daemon/update.go`, getPatch
 */
export function templatePatch(template: DeepReadonly<PodTemplateSpec>): unknown {
  return { spec: { template: { ...template, $patch: "replace" } } };
}

/** The template that a revision remembers. */
export function templateOf(revision: DeepReadonly<ControllerRevision>): DeepReadonly<PodTemplateSpec> {
  const { spec } = revision.data as { readonly spec: { readonly template: DeepReadonly<PodTemplateSpec> & { readonly $patch?: string } } };
  const { $patch: _, ...template } = spec.template;
  return template;
}

/** Finds the set's revision among `revisions`, or says what it is to be. A template that returns gets the newest number. */
export function planRevisions(
  set: DeepReadonly<RevisionedSet>,
  revisions: readonly DeepReadonly<ControllerRevision>[],
  form: RevisionForm,
): RevisionPlan {
  const template: DeepReadonly<PodTemplateSpec> = set.spec?.template ?? {};
  const data = templatePatch(template);
  const ordered = [...revisions].sort(byRevision);
  const equal = ordered.filter((revision) => deepEqual(revision.data, data));
  const known = equal.at(-1);
  const duplicates = equal.slice(0, -1);
  const old = ordered.filter((revision) => revision !== known);
  const number = (old.at(-1)?.revision ?? 0) + 1;
  if (known !== undefined && known.revision >= number) return { current: known, write: undefined, old, duplicates };
  if (known !== undefined) return { current: { ...known, revision: number }, write: "renumber", old, duplicates };
  return { current: newRevision(set, { data, template, number, form }), write: "create", old, duplicates };
}

function newRevision(
  set: DeepReadonly<RevisionedSet>,
  parts: {
    readonly data: unknown;
    readonly template: DeepReadonly<PodTemplateSpec>;
    readonly number: number;
    readonly form: RevisionForm;
  },
): DeepReadonly<ControllerRevision> {
  const { data, template, number, form } = parts;
  const hash = templateHash(template, set.status?.collisionCount ?? 0);
  return {
    apiVersion: "apps/v1",
    kind: "ControllerRevision",
    metadata: {
      name: `${set.metadata.name}-${hash}`,
      namespace: set.metadata.namespace,
      labels: { ...template.metadata?.labels, [form.hashLabel]: hash },
      annotations: set.metadata.annotations,
      ownerReferences: [form.owner],
    },
    data,
    revision: number,
  };
}

/** Old revisions beyond the set's limit that no pod was made from, the oldest first; a negative limit keeps all. */
export function expiredRevisions(
  set: DeepReadonly<RevisionedSet>,
  old: readonly DeepReadonly<ControllerRevision>[],
  isLive: (revision: DeepReadonly<ControllerRevision>) => boolean,
): readonly DeepReadonly<ControllerRevision>[] {
  const limit = set.spec?.revisionHistoryLimit ?? 10;
  const surplus = limit < 0 ? 0 : Math.max(0, old.length - limit);
  return old.filter((revision) => !isLive(revision)).slice(0, surplus);
}

function byRevision(a: DeepReadonly<ControllerRevision>, b: DeepReadonly<ControllerRevision>): number {
  return a.revision - b.revision || Date.parse(a.metadata.creationTimestamp ?? "") - Date.parse(b.metadata.creationTimestamp ?? "") || 0;
}
