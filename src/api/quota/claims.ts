// Quota usage of persistent volume claims (number and storage, also by storage class) and of resource claims (devices).
import { type DeepReadonly, parseQuantity, Quantity } from "../../machinery/index.ts";
import type { PersistentVolumeClaim } from "../types/core/v1.ts";
import type { ResourceClaim } from "../types/resource/v1.ts";
import { matchesScopeValues, objectCountName, type QuotaEvaluator } from "./evaluator.ts";
import type { ResourceList } from "./resource-list.ts";

const VOLUME_COUNT = objectCountName("", "persistentvolumeclaims");
const volumeNames = ["persistentvolumeclaims", "requests.storage"];
const STORAGE_CLASS = ".storageclass.storage.k8s.io/";
/** Older clients name the class in an annotation. */
const CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class";
const NANO = 1_000_000_000n;

export const volumeClaimEvaluator: QuotaEvaluator<PersistentVolumeClaim> = {
  counts: (name) => name === VOLUME_COUNT || volumeNames.some((known) => name === known || name.endsWith(`${STORAGE_CLASS}${known}`)),

  handles: ({ subresource }) => subresource === "" || subresource === "status",

  isInScope: (claim, scope) => scope.scopeName === "VolumeAttributesClass" && matchesScopeValues(scope, attributesClasses(claim)),

  usage(claim) {
    const own: Record<string, string> = { persistentvolumeclaims: "1" };
    const storage = storageOf(claim);
    if (storage !== undefined) own["requests.storage"] = storage;
    const className = claim.metadata.annotations?.[CLASS_ANNOTATION] ?? claim.spec?.storageClassName ?? "";
    const ofClass = className === "" ? [] : Object.entries(own).map(([name, amount]) => [`${className}${STORAGE_CLASS}${name}`, amount]);
    return { [VOLUME_COUNT]: "1", ...own, ...(Object.fromEntries(ofClass) as ResourceList) };
  },
};

/** What is asked for, or what an expansion under way has got already if that is more; in whole bytes. */
function storageOf({ spec, status }: DeepReadonly<PersistentVolumeClaim>): string | undefined {
  const requested = spec?.resources?.requests?.["storage"];
  if (requested === undefined) return undefined;
  const wanted = parseQuantity(requested);
  const allocated = parseQuantity(status?.allocatedResources?.["storage"] ?? "0");
  const larger = allocated.compare(wanted) > 0 ? allocated : wanted;
  const isWhole = larger.nanoValue() % NANO === 0n;
  return (isWhole ? larger : new Quantity(BigInt(larger.value()) * NANO, larger.format)).toString();
}

function attributesClasses({ spec, status }: DeepReadonly<PersistentVolumeClaim>): string[] {
  const { currentVolumeAttributesClassName, modifyVolumeStatus } = status ?? {};
  const names = [spec?.volumeAttributesClassName, currentVolumeAttributesClassName, modifyVolumeStatus?.targetVolumeAttributesClassName];
  return names.filter((name): name is string => name !== undefined && name !== "");
}

const CLAIM_COUNT = objectCountName("resource.k8s.io", "resourceclaims");
const DEVICE_CLASS = ".deviceclass.resource.k8s.io/devices";
/** A request for all devices counts as the most that one allocation can hold. */
const MOST_DEVICES = 32;

interface DeviceRequest {
  readonly deviceClassName?: string | undefined;
  readonly allocationMode?: string | undefined;
  readonly count?: number | undefined;
}

export const resourceClaimEvaluator: QuotaEvaluator<ResourceClaim> = {
  counts: (name) => name === CLAIM_COUNT || name.endsWith(DEVICE_CLASS),
  handles: ({ subresource }) => subresource === "",
  isInScope: () => false,
  usage({ spec }) {
    const devices = new Map<string, number>();
    for (const request of spec.devices?.requests ?? []) {
      const choices = request.exactly === undefined ? (request.firstAvailable ?? []) : [request.exactly];
      for (const [name, count] of mostByClass(choices)) devices.set(name, (devices.get(name) ?? 0) + count);
    }
    const ofClasses = [...devices].map(([name, count]) => [`${name}${DEVICE_CLASS}`, String(count)]);
    return { [CLAIM_COUNT]: "1", ...(Object.fromEntries(ofClasses) as ResourceList) };
  },
};

/** Of alternatives only one is taken: each class counts with the largest. */
function mostByClass(choices: readonly DeviceRequest[]): Map<string, number> {
  const most = new Map<string, number>();
  for (const { deviceClassName = "", allocationMode, count = 1 } of choices) {
    const devices = allocationMode === "All" ? MOST_DEVICES : count;
    most.set(deviceClassName, Math.max(most.get(deviceClassName) ?? 0, devices));
  }
  return most;
}
