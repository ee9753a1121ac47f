export type { CelBound } from "./cost-estimator.ts";
export * from "./environment.ts";
export * from "./errors.ts";
export {
  type AskAuthorizer,
  type AuthorizerAnswer,
  type AuthorizerQuestion,
  authorizerType,
  celAuthorizer,
  celResourceCheck,
  resourceCheckType,
} from "./library/authorizer.ts";
export { CelQuantity } from "./library/quantity.ts";
export { celSemver } from "./library/semver.ts";
export { CelDuration, CelTimestamp } from "./time.ts";
export type { CelField, CelListType, CelMapType, CelObjectType, CelOpaqueType, CelType, CelTypeName } from "./types.ts";
export { formatType, listOf, objectOf, optionalOf } from "./types.ts";
export { CelHostObject } from "./values.ts";
