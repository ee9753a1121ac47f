// The kinds of dynamic resource allocation: claims, their templates, device classes, slices.
import { formatTime } from "../../base/index.ts";
import { type FieldError, field, isDns1123Label } from "../../machinery/index.ts";
import { ageColumn, column, nameColumn } from "../printing/columns.ts";
import type { KindStrategy, StrategyContext } from "../strategy.ts";
import type {
  DeviceClass,
  DeviceSubRequest,
  ExactDeviceRequest,
  ResourceClaim,
  ResourceClaimSpec,
  ResourceClaimTemplate,
  ResourceSlice,
} from "../types/resource/v1.ts";
import { checkImmutable, checkRequiredName } from "../validation/checks.ts";
import { dropStatus, keepSpec, keepStatus } from "../validation/prepare.ts";
import { checkDeviceTaint, checkDriverName, checkPoolName } from "./device-taint-rule.ts";

function applyRequestDefaults(request: ExactDeviceRequest | DeviceSubRequest): void {
  request.allocationMode ||= "ExactCount";
  if (request.allocationMode === "ExactCount") request.count ||= 1;
  for (const toleration of request.tolerations ?? []) toleration.operator ||= "Equal";
}

function applyClaimDefaults(spec: ResourceClaimSpec | undefined): void {
  for (const { exactly, firstAvailable } of spec?.devices?.requests ?? []) {
    if (exactly) applyRequestDefaults(exactly);
    for (const request of firstAvailable ?? []) applyRequestDefaults(request);
  }
}

function validateClaim(path: string, spec: ResourceClaimSpec | undefined): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  spec?.devices?.requests?.forEach(({ name, exactly, firstAvailable }, i) => {
    const itemPath = `${path}.devices.requests[${i}]`;
    if (!name) errors.push(field.required(`${itemPath}.name`));
    else if (names.has(name)) errors.push(field.duplicate(`${itemPath}.name`, name));
    names.add(name);
    if (!exactly && !firstAvailable?.length) {
      errors.push(field.required(itemPath, "exactly one of `exactly` or `firstAvailable` is required"));
    } else if (exactly && firstAvailable?.length) {
      errors.push(
        field.invalid(itemPath, undefined, "exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set"),
      );
    }
    if (exactly && !exactly.deviceClassName) errors.push(field.required(`${itemPath}.exactly.deviceClassName`));
  });
  return errors;
}

function claimState({ metadata, status }: ResourceClaim): string {
  const states: string[] = [];
  if (metadata.deletionTimestamp !== undefined) states.push("deleted");
  if (status?.allocation === undefined) {
    if (metadata.deletionTimestamp === undefined) states.push("pending");
  } else {
    states.push("allocated");
    if (status.reservedFor?.length) states.push("reserved");
  }
  return states.join(",");
}

export const resourceClaimStrategy: KindStrategy<ResourceClaim> = {
  applyDefaults: ({ spec }) => applyClaimDefaults(spec),
  prepareForCreate: dropStatus,
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: keepSpec,
  validate: ({ spec }) => validateClaim("spec", spec),
  validateUpdate({ spec }, { spec: old }) {
    const errors: FieldError[] = [];
    checkImmutable(errors, "spec", spec, old);
    return errors;
  },
  columns: [nameColumn, column("State", claimState), ageColumn],
};

export const resourceClaimTemplateStrategy: KindStrategy<ResourceClaimTemplate> = {
  applyDefaults: ({ spec }) => applyClaimDefaults(spec?.spec),
  validate: ({ spec }) => validateClaim("spec.spec", spec?.spec),
  validateUpdate({ spec }, { spec: old }) {
    const errors: FieldError[] = [];
    checkImmutable(errors, "spec", spec, old);
    return errors;
  },
  columns: [nameColumn, ageColumn],
};

export const deviceClassStrategy: KindStrategy<DeviceClass> = { hasGeneration: true, columns: [nameColumn, ageColumn] };

/** Taints that say not since when are new. */
function dateTaints({ spec }: ResourceSlice, { clock }: Pick<StrategyContext, "clock">): void {
  for (const { taints = [] } of spec?.devices ?? []) for (const taint of taints) taint.timeAdded ??= formatTime(clock.now());
}

export const resourceSliceStrategy: KindStrategy<ResourceSlice> = {
  prepareForCreate: dateTaints,
  prepareForUpdate: (slice, _, context) => dateTaints(slice, context),
  validate({ spec }) {
    const errors: FieldError[] = [];
    checkDriverName(errors, "spec.driver", spec.driver);
    checkPoolName(errors, "spec.pool.name", spec.pool?.name);
    spec.devices?.forEach(({ name, taints }, i) => {
      const path = `spec.devices[${i}]`;
      checkRequiredName(errors, `${path}.name`, name, isDns1123Label);
      for (const [j, taint] of (taints ?? []).entries()) checkDeviceTaint(errors, `${path}.taints[${j}]`, taint);
    });
    return errors;
  },
  validateUpdate({ spec }, { spec: old }) {
    const errors: FieldError[] = [];
    checkImmutable(errors, "spec.driver", spec.driver, old.driver);
    checkImmutable(errors, "spec.pool.name", spec.pool.name, old.pool.name);
    checkImmutable(errors, "spec.nodeName", spec.nodeName, old.nodeName);
    return errors;
  },
  hasGeneration: true,
  selectableFields: {
    "spec.nodeName": ({ spec }) => spec.nodeName ?? "",
    "spec.driver": ({ spec }) => spec.driver,
  },
  columns: [
    nameColumn,
    column("Node", ({ spec }) => spec.nodeName ?? "<unset>"),
    column("Driver", ({ spec }) => spec.driver),
    column("Pool", ({ spec }) => spec.pool.name),
    ageColumn,
  ],
};
