// Subresources that change one part of their object: everything else stays as it stands.

import type { StrategyContext } from "../../../api/index.ts";
import { timestamp } from "../../../base/index.ts";
import { copyJson } from "../../../machinery/index.ts";
import type { Draft } from "../draft.ts";

/** Puts back into `draft` what the subresource does not change. */
type PrepareUpdate = (draft: Draft, old: Draft, context: StrategyContext) => void;

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

const resizedResources = onlyPart((kept, wanted) => {
  const ofPod = part(wanted, "spec")["resources"];
  if (ofPod === undefined) delete part(kept, "spec")["resources"];
  else part(kept, "spec")["resources"] = copyJson(ofPod);
  for (const field of ["containers", "initContainers"]) {
    const containers = (part(kept, "spec")[field] ?? []) as Part[];
    const sized = new Map(((part(wanted, "spec")[field] ?? []) as Part[]).map((container) => [container["name"], container]));
    for (const container of containers) {
      const wantedOne = sized.get(container["name"]);
      if (wantedOne !== undefined) container["resources"] = copyJson(wantedOne["resources"] ?? {});
    }
  }
});

const approvalOnly = onlyPart((kept, wanted) => {
  part(kept, "status")["conditions"] = part(wanted, "status")["conditions"] ?? [];
});

/** The server says when conditions came that do not say so themselves. */
const approvalConditions: PrepareUpdate = (draft, old, context) => {
  approvalOnly(draft, old, context);
  const now = timestamp(context.clock);
  for (const condition of conditionsOf(draft)) {
    condition["lastUpdateTime"] ??= now;
    condition["lastTransitionTime"] ??= now;
  }
};

function conditionsOf(draft: Draft): Part[] {
  return ((draft["status"] as Part | undefined)?.["conditions"] ?? []) as Part[];
}

/** By `group/plural/subresource`. */
export const partialRules: ReadonlyMap<string, PrepareUpdate> = new Map([
  ["/namespaces/finalize", finalizersOfSpec],
  ["/pods/ephemeralcontainers", ephemeralContainers],
  ["/pods/resize", resizedResources],
  ["certificates.k8s.io/certificatesigningrequests/approval", approvalConditions],
]);
