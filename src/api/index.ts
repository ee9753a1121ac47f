export {
  applyConfigurationResult,
  compileTo,
  jsonPatchResult,
  type PolicyScope,
  policyEnvironment,
  webhookEnvironment,
} from "./admissionregistration/expressions.ts";
export { expressionWarnings } from "./admissionregistration/type-check.ts";
export { isProtectedGroup, judgeApproval } from "./apiextensions/api-approval.ts";
export {
  applySchemaDefaults,
  compileRules,
  evaluateRules,
  pruneCustomResource,
  type Schema,
  schemaFacts,
  validateValue,
} from "./apiextensions/schema/index.ts";
export { IndexSet } from "./batch/index-set.ts";
export { builtInCatalog, GrowingCatalog } from "./catalog.ts";
export { isExtendedResource } from "./core/pod-spec/validate-resources.ts";
export type * from "./handler.ts";
export * from "./metrics/types.ts";
export { matchesNodeSelectorTerm, matchesRequiredNodeAffinity, toleratesTaint, toleratesTaints } from "./node-placement.ts";
export { type PodReferences, podReferences } from "./pod-references.ts";
export { type PodRequests, podLimits, podRequests } from "./pod-resources.ts";
export {
  getCondition,
  isPodAvailable,
  isPodTerminal,
  isSidecar,
  podInitialized,
  podQosClass,
  podReady,
  podReadySinceMs,
  type QosClass,
} from "./pod-state.ts";
export { podTopologyLabels } from "./pod-topology-labels.ts";
export { humanDuration, shortHumanDuration } from "./printing/duration.ts";
export * from "./quota/index.ts";
export { type DeviceRef, ruleSelects, taintsOfDevice } from "./resource/device-taints.ts";
export type { Resource, ResourceRef, StoredForm } from "./resource.ts";
export { type ResourceRow, resourceRows, type SubresourceRow, typeFacts, typeNames } from "./schema/table.ts";
export type * from "./strategy.ts";
export { resources } from "./types/resources.ts";
export {
  BETA_STORAGE_PROVISIONER,
  BIND_COMPLETED,
  BOUND_BY_CONTROLLER,
  boundClaim,
  boundClaimStatus,
  boundVolume,
  type Claim,
  type Class,
  claimClass,
  defaultClass,
  ephemeralClaimName,
  findVolume,
  isMeantFor,
  mismatch,
  type PodClaim,
  PROVISIONED_BY,
  podClaims,
  SELECTED_NODE,
  STORAGE_PROVISIONER,
  unboundVolume,
  type Volume,
  volumeClass,
  waitsForConsumer,
} from "./volume-binding/index.ts";
