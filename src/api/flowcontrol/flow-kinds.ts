// FlowSchema and PriorityLevelConfiguration: defaults, validation, columns.
import { type FieldError, field } from "../../machinery/index.ts";
import { getCondition } from "../pod-state.ts";
import { ageColumn, column, integerColumn, nameColumn } from "../printing/columns.ts";
import type { KindStrategy } from "../strategy.ts";
import type { FlowSchema, PriorityLevelConfiguration } from "../types/flowcontrol/v1.ts";
import { checkOneOf } from "../validation/checks.ts";
import { keepSpec, keepStatus } from "../validation/prepare.ts";

export const flowSchemaStrategy: KindStrategy<FlowSchema> = {
  applyDefaults({ spec }) {
    if (spec) spec.matchingPrecedence ||= 1000;
  },
  prepareForCreate(schema) {
    schema.status = {};
  },
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: keepSpec,
  validate({ spec }) {
    const errors: FieldError[] = [];
    const precedence = spec?.matchingPrecedence ?? 0;
    if (precedence <= 0) errors.push(field.invalid("spec.matchingPrecedence", precedence, "must be a positive value"));
    if (precedence > 10000) errors.push(field.invalid("spec.matchingPrecedence", precedence, "must not be greater than 10000"));
    if (!spec?.priorityLevelConfiguration?.name)
      errors.push(field.required("spec.priorityLevelConfiguration.name", "must reference a priority level"));
    checkOneOf(errors, "spec.distinguisherMethod.type", spec?.distinguisherMethod?.type, ["ByNamespace", "ByUser"]);
    return errors;
  },
  hasGeneration: true,
  columns: [
    nameColumn,
    column("PriorityLevel", ({ spec }) => spec?.priorityLevelConfiguration.name ?? ""),
    integerColumn("MatchingPrecedence", ({ spec }) => spec?.matchingPrecedence ?? 0),
    column("DistinguisherMethod", ({ spec }) => spec?.distinguisherMethod?.type ?? "<none>"),
    ageColumn,
    column("MissingPL", ({ status }) => getCondition(status?.conditions, "Dangling")?.status ?? "?"),
  ],
};

export const priorityLevelConfigurationStrategy: KindStrategy<PriorityLevelConfiguration> = {
  applyDefaults({ spec }) {
    if (spec?.exempt) {
      spec.exempt.nominalConcurrencyShares ??= 0;
      spec.exempt.lendablePercent ??= 0;
    }
    if (!spec?.limited) return;
    spec.limited.nominalConcurrencyShares ??= 30;
    spec.limited.lendablePercent ??= 0;
    const { queuing } = spec.limited.limitResponse ?? {};
    if (!queuing) return;
    queuing.queues ||= 64;
    queuing.handSize ||= 8;
    queuing.queueLengthLimit ||= 50;
  },
  prepareForCreate(level) {
    level.status = {};
  },
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: keepSpec,
  validate({ spec }) {
    const errors: FieldError[] = [];
    checkOneOf(errors, "spec.type", spec?.type ?? "", ["Exempt", "Limited"]);
    if (spec?.type === "Limited" && !spec.limited) errors.push(field.required("spec.limited", "must not be empty when type is Limited"));
    if (spec?.type === "Exempt" && spec.limited) errors.push(field.forbidden("spec.limited", "must be nil if the type is not Limited"));
    return errors;
  },
  hasGeneration: true,
  columns: [
    nameColumn,
    column("Type", ({ spec }) => spec?.type ?? ""),
    column("NominalConcurrencyShares", ({ spec }) => String(spec?.limited?.nominalConcurrencyShares ?? "<none>")),
    column("Queues", ({ spec }) => String(spec?.limited?.limitResponse?.queuing?.queues ?? "<none>")),
    column("HandSize", ({ spec }) => String(spec?.limited?.limitResponse?.queuing?.handSize ?? "<none>")),
    column("QueueLengthLimit", ({ spec }) => String(spec?.limited?.limitResponse?.queuing?.queueLengthLimit ?? "<none>")),
    ageColumn,
  ],
};
