// Subresources that change one part of their object: everything else stays as it stands.
import { timestamp } from "../../../base/index.ts";
import { field } from "../../../machinery/index.ts";
import type { Draft } from "../draft.ts";
import { copyJson } from "../draft.ts";

/** Puts back into `draft` what the subresource does not change. */
type PrepareUpdate = (draft: Draft, old: Draft) => void;

type Part = Record<string, unknown>;

/** Takes over with `take` what the subresource is about; all else comes from the old object. */
function onlyPart(take: (kept: Draft, wanted: Draft) => void): PrepareUpdate {
  return (draft, old) => {
    const wanted = { ...draft };
    const { metadata } = draft;
    for (const name of Object.keys(draft)) delete draft[name];
    Object.assign(draft, copyJson(old), { metadata });
    take(draft, wanted);
  };
}

function part(draft: Draft, name: string): Part {
  return (draft[name] ??= {}) as Part;
}

const finalizersOfSpec = onlyPart((kept, wanted) => {
  const spec = part(kept, "spec");
  spec["finalizers"] = part(wanted, "spec")["finalizers"];
  if (spec["finalizers"] === undefined) delete spec["finalizers"];
  if (wanted["status"] !== undefined) kept["status"] = wanted["status"];
});

const ephemeralContainers = onlyPart((kept, wanted) => {
  part(kept, "spec")["ephemeralContainers"] = part(wanted, "spec")["ephemeralContainers"] ?? [];
});

const containerResources = onlyPart((kept, wanted) => {
  for (const field of ["containers", "initContainers"]) {
    const containers = (part(kept, "spec")[field] ?? []) as Part[];
    const sized = new Map(((part(wanted, "spec")[field] ?? []) as Part[]).map((container) => [container["name"], container]));
    for (const container of containers) {
      const wantedOne = sized.get(container["name"]);
      if (wantedOne !== undefined) container["resources"] = copyJson(wantedOne["resources"] ?? {});
    }
  }
});

const approvalConditionsOnly = onlyPart((kept, wanted) => {
  part(kept, "status")["conditions"] = part(wanted, "status")["conditions"] ?? [];
});

/** Approval and denial exclude each other, and stay; the server says when they came. */
const approvalConditions: UpdateRules = {
  prepare(draft, old, context) {
    approvalConditionsOnly.prepare(draft, old, context);
    const now = timestamp(context.clock);
    for (const condition of conditionsOf(draft)) {
      condition["lastUpdateTime"] ??= now;
      condition["lastTransitionTime"] ??= now;
    }
  },
  validate(draft, old) {
    const types = new Set(conditionsOf(draft).map(({ type }) => type));
    const before = new Set(conditionsOf(old).map(({ type }) => type));
    const gone = ["Approved", "Denied", "Failed"].filter((type) => before.has(type) && !types.has(type));
    const path = "status.conditions";
    return [
      ...(types.has("Approved") && types.has("Denied")
        ? [field.invalid(path, "Denied", "Approved and Denied conditions are mutually exclusive")]
        : []),
      ...gone.map((type) => field.forbidden(path, `updates may not remove a condition of type "${type}"`)),
    ];
  },
};

function conditionsOf(draft: Draft): Part[] {
  return ((draft["status"] as Part | undefined)?.["conditions"] ?? []) as Part[];
}

/** By `group/plural/subresource`. */
export const partialRules: ReadonlyMap<string, PrepareUpdate> = new Map([
  ["/namespaces/finalize", finalizersOfSpec],
  ["/pods/ephemeralcontainers", ephemeralContainers],
  ["/pods/resize", containerResources],
  ["certificates.k8s.io/certificatesigningrequests/approval", approvalConditions],
]);
