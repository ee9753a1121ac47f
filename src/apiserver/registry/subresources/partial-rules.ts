// Subresources that change one part of their object: everything else stays as it stands.
import type { Draft } from "../draft.ts";
import { copyJson } from "../draft.ts";
import type { UpdateRules } from "../update-rules.ts";

type Part = Record<string, unknown>;

/** Takes over with `take` what the subresource is about; all else comes from the old object. */
function onlyPart(take: (kept: Draft, wanted: Draft) => void): UpdateRules {
  return {
    prepare(draft, old) {
      const wanted = { ...draft };
      const { metadata } = draft;
      for (const name of Object.keys(draft)) delete draft[name];
      Object.assign(draft, copyJson(old), { metadata });
      take(draft, wanted);
    },
    validate: () => [],
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
      const { resources, resizePolicy } = sized.get(container["name"]) ?? container;
      Object.assign(container, copyJson({ resources, resizePolicy }));
    }
  }
});

const approvalConditions = onlyPart((kept, wanted) => {
  part(kept, "status")["conditions"] = part(wanted, "status")["conditions"] ?? [];
});

/** By `group/plural/subresource`. */
export const partialRules: ReadonlyMap<string, UpdateRules> = new Map([
  ["/namespaces/finalize", finalizersOfSpec],
  ["/pods/ephemeralcontainers", ephemeralContainers],
  ["/pods/resize", containerResources],
  ["certificates.k8s.io/certificatesigningrequests/approval", approvalConditions],
]);
