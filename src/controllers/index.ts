export { attachDetachController } from "./attach-detach/attach-detach-controller.ts";
export { bootstrapSignerController, tokenCleanerController } from "./bootstrap-tokens/bootstrap-token-controllers.ts";
export { csrApprovingController, csrCleanerController, csrSigningController } from "./certificates/certificate-controllers.ts";
export { podCertificateRequestCleaner } from "./certificates/pod-certificate-request-cleaner.ts";
export type { CertificateAuthority, CertificateRequest, SigningOptions } from "./certificates/signer.ts";
export { clusterTrustBundlePublisher } from "./cluster-trust-bundle-publisher/cluster-trust-bundle-publisher-controller.ts";
export { clusterRoleAggregationController } from "./clusterrole-aggregation/clusterrole-aggregation-controller.ts";
export type { Controller, ControllerContext } from "./controller.ts";
export { cronJobController } from "./cronjob/cronjob-controller.ts";
export { daemonSetController } from "./daemonset/daemonset-controller.ts";
export { type ControllerMaker, type DefaultControllersOptions, defaultControllers } from "./default-controllers.ts";
export { deletableResources } from "./deletable-resources.ts";
export { deploymentController } from "./deployment/deployment-controller.ts";
export { deviceTaintEvictionController } from "./device-taint-eviction/device-taint-eviction-controller.ts";
export { type DisruptionOptions, disruptionController } from "./disruption/disruption-controller.ts";
export { endpointController } from "./endpoint/endpoint-controller.ts";
export { endpointSliceController } from "./endpointslice/endpointslice-controller.ts";
export { endpointSliceMirroringController } from "./endpointslice-mirroring/endpointslice-mirroring-controller.ts";
export { ephemeralVolumeController } from "./ephemeral-volume/ephemeral-volume-controller.ts";
export {
  type GarbageCollectorOptions,
  garbageCollectorController,
} from "./garbage-collector/garbage-collector-controller.ts";
export { type AutoscalerOptions, horizontalPodAutoscalerController } from "./horizontal-pod-autoscaler/hpa-controller.ts";
export { type MetricsClient, MetricsError, type ResourceQuery } from "./horizontal-pod-autoscaler/metrics-client.ts";
export { jobController } from "./job/job-controller.ts";
export { legacyTokenCleanerController } from "./legacy-token-cleaner/legacy-token-cleaner-controller.ts";
export { localPathController } from "./local-path/local-path-controller.ts";
export { LOCAL_PATH_PROVISIONER, LOCAL_PATH_ROOT } from "./local-path/plan.ts";
export { type NamespaceControllerOptions, namespaceController } from "./namespace/namespace-controller.ts";
export { type NodeIpamOptions, nodeIpamController } from "./node-ipam/node-ipam-controller.ts";
export { nodeLifecycleController } from "./node-lifecycle/node-lifecycle-controller.ts";
export { persistentVolumeBinderController } from "./persistentvolume-binder/persistentvolume-binder-controller.ts";
export { type PodGcOptions, podGcController } from "./pod-gc/pod-gc-controller.ts";
export { replicaSetController } from "./replicaset/replicaset-controller.ts";
export { replicationController } from "./replication/replication-controller.ts";
export { resourceClaimController } from "./resourceclaim/resourceclaim-controller.ts";
export { resourceQuotaController } from "./resourcequota/resourcequota-controller.ts";
export { type RootCaPublisherOptions, rootCaPublisher } from "./root-ca-publisher/root-ca-publisher-controller.ts";
export type { LoadBalancerOptions } from "./service-lb/plan.ts";
export { serviceLbController } from "./service-lb/service-lb-controller.ts";
export { serviceAccountController } from "./serviceaccount/serviceaccount-controller.ts";
export { type ServiceAccountTokenOptions, serviceAccountTokenController } from "./serviceaccount-token/serviceaccount-token-controller.ts";
export { serviceCidrController } from "./servicecidr/servicecidr-controller.ts";
export { statefulSetController } from "./statefulset/statefulset-controller.ts";
export { storageVersionMigratorController } from "./storage-version-migrator/storage-version-migrator-controller.ts";
export { taintEvictionController } from "./taint-eviction/taint-eviction-controller.ts";
export { ttlAfterFinishedController } from "./ttl-after-finished/ttl-after-finished-controller.ts";
export { validatingAdmissionPolicyStatusController } from "./validatingadmissionpolicy-status/validatingadmissionpolicy-status-controller.ts";
export { volumeExpandController } from "./volume-expand/volume-expand-controller.ts";
export {
  attributesClassProtectionController,
  claimProtectionController,
  volumeProtectionController,
} from "./volume-protection/volume-protection-controllers.ts";
