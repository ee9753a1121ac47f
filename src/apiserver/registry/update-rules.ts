// What an update of the object itself and of its status may change.
import type { Resource, StrategyContext } from "../../api/index.ts";
import type { FieldError } from "../../machinery/index.ts";
import type { Draft } from "./draft.ts";
import { storedResource } from "./key.ts";
import { partialRules } from "./subresources/partial-rules.ts";

export interface UpdateRules {
  /** Puts back into `draft` what this update may not change. */
  prepare(draft: Draft, old: Draft, context: StrategyContext): void;
  validate(draft: Draft, old: Draft, context: Pick<StrategyContext, "clock">): readonly FieldError[];
}

/** The rules of a subresource; "" is the object itself. */
export function updateRules(resource: Resource, subresource: string): UpdateRules {
  if (subresource === "") return mainRules(resource);
  const partial = partialRules.get(`${resource.group}/${resource.resource}/${subresource}`);
  return partial === undefined ? statusRules(resource) : { prepare: partial, validate: partialValidation(resource, subresource) };
}

/** The rules of a whole object: its status stays, if it has a status subresource. */
export function mainRules(resource: Resource): UpdateRules {
  const { strategy, subresources } = storedResource(resource);
  return {
    prepare(draft, old, context) {
      if (subresources["status"] !== undefined) restore(draft, old, "status");
      strategy.prepareForUpdate?.(draft, old, context);
    },
    validate: (draft, old) => [...(strategy.validate?.(draft, old) ?? []), ...(strategy.validateUpdate?.(draft, old) ?? [])],
  };
}

function partialValidation(resource: Resource, subresource: string): UpdateRules["validate"] {
  const { strategy } = storedResource(resource);
  const own = strategy.validateSubresourceUpdate?.[subresource];
  return own === undefined ? () => [] : (draft, old) => [...(strategy.validate?.(draft, old) ?? []), ...own(draft, old)];
}

function statusRules(resource: Resource): UpdateRules {
  const { strategy } = storedResource(resource);
  return {
    prepare(draft, old, context) {
      if (strategy.prepareForStatusUpdate !== undefined) {
        strategy.prepareForStatusUpdate(draft, old, context);
        return;
      }
      const names = new Set([...Object.keys(draft), ...Object.keys(old)]);
      for (const name of names) if (name !== "metadata" && name !== "status") restore(draft, old, name);
      if (old.metadata.ownerReferences === undefined) delete draft.metadata.ownerReferences;
      else draft.metadata.ownerReferences = old.metadata.ownerReferences;
    },
    validate: (draft, old, context) => strategy.validateStatusUpdate?.(draft, old, context) ?? [],
  };
}

function restore(draft: Draft, old: Draft, name: string): void {
  if (old[name] === undefined) delete draft[name];
  else draft[name] = old[name];
}
