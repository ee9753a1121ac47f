// Which of the volumes that are there suits a claim. Pure.
import { labelSelectorMatcher, parseQuantity } from "../../machinery/index.ts";
import { type Claim, claimClass, isMeantFor, type Volume, volumeClass } from "./binding.ts";

/**
 * The volume that is meant for the claim, else the smallest free one that suits it. A claim that waits for a consumer
 * gets only a volume that is meant for it: the scheduler chooses among the others.
 * @see kubernetes `pkg/volume/util/volumehelper` FindMatchingVolume
 */
export function findVolume(claim: Claim, volumes: readonly Volume[], isWaiting: boolean): Volume | undefined {
  let smallest: Volume | undefined;
  for (const volume of volumes) {
    if (volume.metadata.deletionTimestamp !== undefined) continue;
    if (isMeantFor(volume, claim)) {
      if (mismatch(volume, claim) === undefined) return volume;
      continue;
    }
    if (isWaiting || !isFree(volume) || mismatch(volume, claim) !== undefined || !isSelected(volume, claim)) continue;
    if (smallest === undefined || capacityOf(volume).compare(capacityOf(smallest)) < 0) smallest = volume;
  }
  return smallest;
}

/** Why the volume cannot be the claim's, in upstream's words. */
export function mismatch(volume: Volume, claim: Claim): string | undefined {
  const requested = parseQuantity(claim.spec?.resources?.requests?.["storage"] ?? "0");
  if (capacityOf(volume).compare(requested) < 0) return "requested PV is too small";
  if (volumeClass(volume) !== (claimClass(claim) ?? "")) return "storageClassName does not match";
  if ((volume.spec?.volumeAttributesClassName ?? "") !== (claim.spec?.volumeAttributesClassName ?? "")) {
    return "volumeAttributesClassName does not match";
  }
  if ((volume.spec?.volumeMode ?? "Filesystem") !== (claim.spec?.volumeMode ?? "Filesystem")) return "incompatible volumeMode";
  const modes = new Set(volume.spec?.accessModes);
  return (claim.spec?.accessModes ?? []).every((mode) => modes.has(mode)) ? undefined : "incompatible accessMode";
}

function isFree({ spec, status }: Volume): boolean {
  return spec?.claimRef === undefined && status?.phase === "Available";
}

function isSelected({ metadata }: Volume, { spec }: Claim): boolean {
  return spec?.selector === undefined || labelSelectorMatcher(spec.selector).matches(metadata.labels);
}

function capacityOf({ spec }: Volume) {
  return parseQuantity(spec?.capacity?.["storage"] ?? "0");
}
