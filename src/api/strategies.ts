// Which strategy belongs to which resource, by `group/plural`, or `group/version/plural` where versions differ. A resource without one has no defaults and no validation
// beyond its schema.

import {
  mutatingAdmissionPolicyBindingStrategy,
  mutatingAdmissionPolicyStrategy,
  validatingAdmissionPolicyBindingStrategy,
  validatingAdmissionPolicyStrategy,
} from "./admissionregistration/policies.ts";
import { mutatingWebhookConfigurationStrategy, validatingWebhookConfigurationStrategy } from "./admissionregistration/webhooks.ts";
import { customResourceDefinitionStrategy } from "./apiextensions/custom-resource-definition.ts";
import { apiServiceStrategy } from "./apiregistration/api-service.ts";
import { controllerRevisionStrategy } from "./apps/controller-revision.ts";
import { daemonSetStrategy } from "./apps/daemon-set.ts";
import { deploymentStrategy } from "./apps/deployment.ts";
import { replicaSetStrategy } from "./apps/replica-set.ts";
import { statefulSetStrategy } from "./apps/stateful-set.ts";
import { horizontalPodAutoscalerStrategy } from "./autoscaling/horizontal-pod-autoscaler.ts";
import { horizontalPodAutoscalerV1Strategy } from "./autoscaling/horizontal-pod-autoscaler-v1.ts";
import { cronJobStrategy } from "./batch/cron-job.ts";
import { jobStrategy } from "./batch/job.ts";
import { certificateSigningRequestStrategy } from "./certificates/certificate-signing-request.ts";
import { clusterTrustBundleStrategy } from "./certificates/cluster-trust-bundle.ts";
import { podCertificateRequestStrategy } from "./certificates/pod-certificate-request.ts";
import { leaseStrategy } from "./coordination/lease.ts";
import { componentStatusStrategy } from "./core/component-status.ts";
import { configMapStrategy } from "./core/config-map.ts";
import { endpointsStrategy } from "./core/endpoints.ts";
import { eventStrategy } from "./core/event.ts";
import { limitRangeStrategy } from "./core/limit-range.ts";
import { namespaceStrategy } from "./core/namespace.ts";
import { nodeStrategy } from "./core/node.ts";
import { persistentVolumeStrategy } from "./core/persistent-volume.ts";
import { persistentVolumeClaimStrategy } from "./core/persistent-volume-claim.ts";
import { podStrategy } from "./core/pod.ts";
import { podTemplateStrategy } from "./core/pod-template.ts";
import { replicationControllerStrategy } from "./core/replication-controller.ts";
import { resourceQuotaStrategy } from "./core/resource-quota.ts";
import { secretStrategy } from "./core/secret.ts";
import { serviceStrategy } from "./core/service.ts";
import { serviceAccountStrategy } from "./core/service-account.ts";
import { endpointSliceStrategy } from "./discovery/endpoint-slice.ts";
import { eventsV1Strategy } from "./events/event.ts";
import { flowSchemaStrategy, priorityLevelConfigurationStrategy } from "./flowcontrol/flow-kinds.ts";
import { nodeMetricsStrategy, podMetricsStrategy } from "./metrics/strategies.ts";
import { ingressStrategy } from "./networking/ingress.ts";
import { ingressClassStrategy } from "./networking/ingress-class.ts";
import { ipAddressStrategy } from "./networking/ip-address.ts";
import { networkPolicyStrategy } from "./networking/network-policy.ts";
import { serviceCidrStrategy } from "./networking/service-cidr.ts";
import { runtimeClassStrategy } from "./node/runtime-class.ts";
import { podDisruptionBudgetStrategy } from "./policy/pod-disruption-budget.ts";
import { clusterRoleStrategy } from "./rbac/cluster-role.ts";
import { clusterRoleBindingStrategy } from "./rbac/cluster-role-binding.ts";
import { roleStrategy } from "./rbac/role.ts";
import { roleBindingStrategy } from "./rbac/role-binding.ts";
import {
  deviceClassStrategy,
  resourceClaimStrategy,
  resourceClaimTemplateStrategy,
  resourceSliceStrategy,
} from "./resource/claim-kinds.ts";
import { deviceTaintRuleStrategy } from "./resource/device-taint-rule.ts";
import { podGroupStrategy, workloadStrategy } from "./scheduling/pod-group.ts";
import { priorityClassStrategy } from "./scheduling/priority-class.ts";
import { csiDriverStrategy } from "./storage/csi-driver.ts";
import { csiNodeStrategy, csiStorageCapacityStrategy, volumeAttributesClassStrategy } from "./storage/csi-kinds.ts";
import { storageClassStrategy } from "./storage/storage-class.ts";
import { volumeAttachmentStrategy } from "./storage/volume-attachment.ts";
import { storageVersionMigrationStrategy } from "./storagemigration/storage-version-migration.ts";
import type { KindStrategy } from "./strategy.ts";

// biome-ignore lint/suspicious/noExplicitAny: a table of strategies of many types; each is used only with its own kind
export const strategies: Readonly<Record<string, KindStrategy<any>>> = {
  "/componentstatuses": componentStatusStrategy,
  "/configmaps": configMapStrategy,
  "/endpoints": endpointsStrategy,
  "/events": eventStrategy,
  "/namespaces": namespaceStrategy,
  "/nodes": nodeStrategy,
  "/pods": podStrategy,
  "/secrets": secretStrategy,
  "/serviceaccounts": serviceAccountStrategy,
  "/services": serviceStrategy,
  "apps/deployments": deploymentStrategy,
  "apps/replicasets": replicaSetStrategy,
  "coordination.k8s.io/leases": leaseStrategy,
  "discovery.k8s.io/endpointslices": endpointSliceStrategy,
  "rbac.authorization.k8s.io/clusterrolebindings": clusterRoleBindingStrategy,
  "rbac.authorization.k8s.io/clusterroles": clusterRoleStrategy,
  "rbac.authorization.k8s.io/rolebindings": roleBindingStrategy,
  "rbac.authorization.k8s.io/roles": roleStrategy,
  "/limitranges": limitRangeStrategy,
  "/persistentvolumeclaims": persistentVolumeClaimStrategy,
  "/persistentvolumes": persistentVolumeStrategy,
  "/podtemplates": podTemplateStrategy,
  "/replicationcontrollers": replicationControllerStrategy,
  "/resourcequotas": resourceQuotaStrategy,
  "apps/controllerrevisions": controllerRevisionStrategy,
  "apps/daemonsets": daemonSetStrategy,
  "apps/statefulsets": statefulSetStrategy,
  "batch/cronjobs": cronJobStrategy,
  "batch/jobs": jobStrategy,
  "policy/poddisruptionbudgets": podDisruptionBudgetStrategy,
  "autoscaling/horizontalpodautoscalers": horizontalPodAutoscalerStrategy,
  "networking.k8s.io/ingresses": ingressStrategy,
  "networking.k8s.io/networkpolicies": networkPolicyStrategy,
  "networking.k8s.io/ingressclasses": ingressClassStrategy,
  "networking.k8s.io/servicecidrs": serviceCidrStrategy,
  "networking.k8s.io/ipaddresses": ipAddressStrategy,
  "storage.k8s.io/storageclasses": storageClassStrategy,
  "storage.k8s.io/volumeattachments": volumeAttachmentStrategy,
  "storage.k8s.io/csidrivers": csiDriverStrategy,
  "storage.k8s.io/csinodes": csiNodeStrategy,
  "storage.k8s.io/csistoragecapacities": csiStorageCapacityStrategy,
  "storage.k8s.io/volumeattributesclasses": volumeAttributesClassStrategy,
  "scheduling.k8s.io/podgroups": podGroupStrategy,
  "scheduling.k8s.io/priorityclasses": priorityClassStrategy,
  "scheduling.k8s.io/workloads": workloadStrategy,
  "certificates.k8s.io/certificatesigningrequests": certificateSigningRequestStrategy,
  "certificates.k8s.io/clustertrustbundles": clusterTrustBundleStrategy,
  "certificates.k8s.io/podcertificaterequests": podCertificateRequestStrategy,
  "storagemigration.k8s.io/storageversionmigrations": storageVersionMigrationStrategy,
  "node.k8s.io/runtimeclasses": runtimeClassStrategy,
  "admissionregistration.k8s.io/mutatingwebhookconfigurations": mutatingWebhookConfigurationStrategy,
  "admissionregistration.k8s.io/validatingwebhookconfigurations": validatingWebhookConfigurationStrategy,
  "admissionregistration.k8s.io/mutatingadmissionpolicies": mutatingAdmissionPolicyStrategy,
  "admissionregistration.k8s.io/mutatingadmissionpolicybindings": mutatingAdmissionPolicyBindingStrategy,
  "admissionregistration.k8s.io/validatingadmissionpolicies": validatingAdmissionPolicyStrategy,
  "admissionregistration.k8s.io/validatingadmissionpolicybindings": validatingAdmissionPolicyBindingStrategy,
  "apiextensions.k8s.io/customresourcedefinitions": customResourceDefinitionStrategy,
  "apiregistration.k8s.io/apiservices": apiServiceStrategy,
  "flowcontrol.apiserver.k8s.io/flowschemas": flowSchemaStrategy,
  "flowcontrol.apiserver.k8s.io/prioritylevelconfigurations": priorityLevelConfigurationStrategy,
  "resource.k8s.io/deviceclasses": deviceClassStrategy,
  "resource.k8s.io/devicetaintrules": deviceTaintRuleStrategy,
  "resource.k8s.io/resourceclaims": resourceClaimStrategy,
  "resource.k8s.io/resourceclaimtemplates": resourceClaimTemplateStrategy,
  "resource.k8s.io/resourceslices": resourceSliceStrategy,
  "events.k8s.io/events": eventsV1Strategy,
  "metrics.k8s.io/nodes": nodeMetricsStrategy,
  "metrics.k8s.io/pods": podMetricsStrategy,
  "autoscaling/v1/horizontalpodautoscalers": horizontalPodAutoscalerV1Strategy,
};
