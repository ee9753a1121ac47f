// Which names a CustomResourceDefinition is granted among those of its group, and what its conditions say about it.
// @see kubernetes `apiextensions-apiserver/pkg/controller/status`
import { isProtectedGroup, judgeApproval } from "../../api/index.ts";
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionCondition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionStatus,
} from "../../api/types/apiextensions/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";

type Definition = DeepReadonly<CustomResourceDefinition>;
type Names = DeepReadonly<CustomResourceDefinitionNames>;
type Condition = DeepReadonly<CustomResourceDefinitionCondition>;

/** The names that others of the group hold; kinds are apart from the names of resources. */
interface TakenNames {
  readonly resources: ReadonlySet<string>;
  readonly kinds: ReadonlySet<string>;
}

/** A name that is not granted, as the condition tells it. */
interface Conflict {
  readonly reason: string;
  readonly message: string;
}

/** The status that `definition` should have, given all definitions; times of transition are `now` where a status changes. */
export function planStatus(definition: Definition, all: readonly Definition[], now: string): CustomResourceDefinitionStatus {
  const { names, conflicts } = grantNames(definition, namesTaken(definition, all));
  const accepted = namesCondition(conflicts);
  const decided = [accepted, establishedCondition(definition, accepted), ...approvalConditions(definition)];
  const conditions = decided.reduce<readonly Condition[]>(
    (list, condition) => withCondition(list, condition, now),
    definition.status?.conditions ?? [],
  );
  return { ...definition.status, acceptedNames: names, conditions } as CustomResourceDefinitionStatus;
}

function namesTaken({ metadata, spec }: Definition, all: readonly Definition[]): TakenNames {
  const others = all
    .filter((other) => other.spec.group === spec.group && other.metadata.name !== metadata.name)
    .map((other) => other.status?.acceptedNames)
    .filter((names) => names !== undefined);
  const filled = (names: readonly (string | undefined)[]) => names.filter((name) => name !== undefined && name !== "") as string[];
  return {
    resources: new Set(filled(others.flatMap(({ plural, singular, shortNames = [] }) => [plural, singular, ...shortNames]))),
    kinds: new Set(filled(others.flatMap(({ kind, listKind }) => [kind, listKind]))),
  };
}

/** A name that is taken stays as it was granted before, if it was. */
function grantNames(definition: Definition, taken: TakenNames): { names: CustomResourceDefinitionNames; conflicts: readonly Conflict[] } {
  const wanted = definition.spec.names;
  const before: Partial<Names> = definition.status?.acceptedNames ?? {};
  const conflicts: Conflict[] = [];
  const grant = (name: "plural" | "singular" | "kind" | "listKind", used: ReadonlySet<string>, reason: string): string => {
    const value = wanted[name] ?? "";
    if (value === "" || value === before[name] || !used.has(value)) return value;
    conflicts.push({ reason, message: inUse(value) });
    return before[name] ?? "";
  };
  const plural = grant("plural", taken.resources, "PluralConflict");
  const singular = grant("singular", taken.resources, "SingularConflict");
  const shortNames = grantShortNames(wanted, before, { taken, conflicts });
  const kind = grant("kind", taken.kinds, "KindConflict");
  const listKind = grant("listKind", taken.kinds, "ListKindConflict");
  const { categories } = wanted;
  return {
    names: {
      plural,
      ...(singular !== "" && { singular }),
      ...(shortNames.length > 0 && { shortNames: [...shortNames] }),
      kind,
      ...(listKind !== "" && { listKind }),
      ...(categories !== undefined && { categories: [...categories] }),
    },
    conflicts,
  };
}

/** All of them or none. */
function grantShortNames(
  { shortNames = [] }: Names,
  before: Partial<Names>,
  { taken, conflicts }: { taken: TakenNames; conflicts: Conflict[] },
): readonly string[] {
  const held = new Set(before.shortNames);
  const refused = shortNames.filter((name) => taken.resources.has(name) && !held.has(name));
  if (refused.length === 0) return shortNames;
  const [first = "", ...more] = refused.map(inUse);
  conflicts.push({ reason: "ShortNamesConflict", message: more.length === 0 ? first : `[${[first, ...more].join(", ")}]` });
  return before.shortNames ?? [];
}

function inUse(name: string): string {
  return `${JSON.stringify(name)} is already in use`;
}

type NewCondition = Omit<Condition, "lastTransitionTime">;

function namesCondition([conflict]: readonly Conflict[]): NewCondition {
  if (conflict !== undefined) return { type: "NamesAccepted", status: "False", ...conflict };
  return { type: "NamesAccepted", status: "True", reason: "NoConflicts", message: "no conflicts found" };
}

/** Once established, a definition stays so: its objects are there. */
function establishedCondition({ status }: Definition, accepted: NewCondition): NewCondition {
  const isEstablished = status?.conditions?.some(({ type, status }) => type === "Established" && status === "True") === true;
  if (isEstablished || accepted.status === "True")
    return { type: "Established", status: "True", reason: "InitialNamesAccepted", message: "the initial names have been accepted" };
  return { type: "Established", status: "False", reason: "NotAccepted", message: "not all names are accepted" };
}

const approvalReasons = {
  approved: ["True", "ApprovedAnnotation"],
  unapproved: ["False", "UnapprovedAnnotation"],
  missing: ["False", "MissingAnnotation"],
  invalid: ["False", "InvalidAnnotation"],
} as const;

function approvalConditions({ metadata, spec }: Definition): readonly NewCondition[] {
  if (!isProtectedGroup(spec.group)) return [];
  const { state, message } = judgeApproval(metadata.annotations);
  const [status, reason] = approvalReasons[state];
  return [{ type: "KubernetesAPIApprovalPolicyConformant", status, reason, message }];
}

/** `conditions` with this one; its time stays while its status does. */
export function withCondition(conditions: readonly Condition[], condition: NewCondition, now: string): readonly Condition[] {
  const old = conditions.find(({ type }) => type === condition.type);
  const lastTransitionTime = old?.status === condition.status ? (old.lastTransitionTime ?? now) : now;
  const next = { lastTransitionTime, ...condition };
  return old === undefined ? [...conditions, next] : conditions.map((each) => (each === old ? next : each));
}
