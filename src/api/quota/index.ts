export { objectCountName, type QuotaEvaluator, type QuotaRequest } from "./evaluator.ts";
export { isInQuotaScopes, quotaEvaluator, quotaScopes, quotaUsage } from "./quota.ts";
export * from "./resource-list.ts";
