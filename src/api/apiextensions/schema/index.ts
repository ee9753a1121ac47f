export { compileRules, evaluateRules, type RuleTree } from "./cel-rules.ts";
export { celTypeOf } from "./cel-types.ts";
export { applySchemaDefaults } from "./defaults.ts";
export { schemaFacts } from "./facts.ts";
export { pruneCustomResource } from "./prune.ts";
export { itemsOf, keepsUnknown, memberOf, type Schema, valuesOf } from "./schema.ts";
export { validateSchema } from "./validate-schema.ts";
export { validateValue } from "./validate-value.ts";
