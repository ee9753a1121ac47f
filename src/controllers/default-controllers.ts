// The controllers of a cluster, by the names that upstream's --controllers knows, each with its service account.
import type { ResourceRef } from "../api/index.ts";
import type { KubeObject } from "../machinery/index.ts";
import { attachDetachController } from "./attach-detach/attach-detach-controller.ts";
import { bootstrapSignerController, tokenCleanerController } from "./bootstrap-tokens/bootstrap-token-controllers.ts";
import { csrApprovingController, csrCleanerController, csrSigningController } from "./certificates/certificate-controllers.ts";
import { podCertificateRequestCleaner } from "./certificates/pod-certificate-request-cleaner.ts";
import type { CertificateAuthority } from "./certificates/signer.ts";
import { clusterTrustBundlePublisher } from "./cluster-trust-bundle-publisher/cluster-trust-bundle-publisher-controller.ts";
import { clusterRoleAggregationController } from "./clusterrole-aggregation/clusterrole-aggregation-controller.ts";
import type { Controller, ControllerContext } from "./controller.ts";
import { cronJobController } from "./cronjob/cronjob-controller.ts";
import { customResourceDefinitionController } from "./customresourcedefinition/customresourcedefinition-controller.ts";
import { daemonSetController } from "./daemonset/daemonset-controller.ts";
import { deploymentController } from "./deployment/deployment-controller.ts";
import { deviceTaintEvictionController } from "./device-taint-eviction/device-taint-eviction-controller.ts";
import { disruptionController } from "./disruption/disruption-controller.ts";
import { endpointController } from "./endpoint/endpoint-controller.ts";
import { endpointSliceController } from "./endpointslice/endpointslice-controller.ts";
import { endpointSliceMirroringController } from "./endpointslice-mirroring/endpointslice-mirroring-controller.ts";
import { ephemeralVolumeController } from "./ephemeral-volume/ephemeral-volume-controller.ts";
import { garbageCollectorController } from "./garbage-collector/garbage-collector-controller.ts";
import { horizontalPodAutoscalerController } from "./horizontal-pod-autoscaler/hpa-controller.ts";
import { jobController } from "./job/job-controller.ts";
import { legacyTokenCleanerController } from "./legacy-token-cleaner/legacy-token-cleaner-controller.ts";
import { localPathController } from "./local-path/local-path-controller.ts";
import { namespaceController } from "./namespace/namespace-controller.ts";
import { nodeIpamController } from "./node-ipam/node-ipam-controller.ts";
import { nodeLifecycleController } from "./node-lifecycle/node-lifecycle-controller.ts";
import { persistentVolumeBinderController } from "./persistentvolume-binder/persistentvolume-binder-controller.ts";
import { podGcController } from "./pod-gc/pod-gc-controller.ts";
import { replicaSetController } from "./replicaset/replicaset-controller.ts";
import { replicationController } from "./replication/replication-controller.ts";
import { resourceClaimController } from "./resourceclaim/resourceclaim-controller.ts";
import { resourceQuotaController } from "./resourcequota/resourcequota-controller.ts";
import { rootCaPublisher } from "./root-ca-publisher/root-ca-publisher-controller.ts";
import type { LoadBalancerOptions } from "./service-lb/plan.ts";
import { serviceLbController } from "./service-lb/service-lb-controller.ts";
import { serviceAccountController } from "./serviceaccount/serviceaccount-controller.ts";
import { type ServiceAccountTokenOptions, serviceAccountTokenController } from "./serviceaccount-token/serviceaccount-token-controller.ts";
import { serviceCidrController } from "./servicecidr/servicecidr-controller.ts";
import { statefulSetController } from "./statefulset/statefulset-controller.ts";
import { storageVersionMigratorController } from "./storage-version-migrator/storage-version-migrator-controller.ts";
import { taintEvictionController } from "./taint-eviction/taint-eviction-controller.ts";
import { ttlAfterFinishedController } from "./ttl-after-finished/ttl-after-finished-controller.ts";
import { validatingAdmissionPolicyStatusController } from "./validatingadmissionpolicy-status/validatingadmissionpolicy-status-controller.ts";
import { volumeExpandController } from "./volume-expand/volume-expand-controller.ts";
import {
  attributesClassProtectionController,
  claimProtectionController,
  volumeProtectionController,
} from "./volume-protection/volume-protection-controllers.ts";

export interface DefaultControllersOptions {
  /** The certificates by which pods know the API server, PEM. */
  readonly caPem: string;
  /** Pods' network, IPv4; without it nodes get none from here. */
  readonly clusterCidr?: string | undefined;
  /** Default: Services of type LoadBalancer have the nodes' addresses. */
  readonly loadBalancers?: LoadBalancerOptions | undefined;
  /** Of CronJobs that name no zone. Default UTC. */
  readonly localTimeZone?: string | undefined;
  /** Signs certificate requests; without it nobody does. */
  readonly authority?: CertificateAuthority | undefined;
  /** Makes the tokens that secrets hold; without it such secrets stay empty. */
  readonly issueSecretToken?: ServiceAccountTokenOptions["issue"] | undefined;
  /** Every resource that can be listed, watched and deleted, each in one version. */
  readonly deletableResources: () => readonly ResourceRef<KubeObject>[];
}

export interface ControllerMaker {
  /** Such as `replicaset-controller`. */
  readonly name: string;
  /** In kube-system; the bootstrap roles are bound to it. */
  readonly serviceAccount: string;
  readonly make: (context: ControllerContext) => Controller;
}

export function defaultControllers(options: DefaultControllersOptions): readonly ControllerMaker[] {
  const { caPem, clusterCidr, loadBalancers = {}, localTimeZone, deletableResources } = options;
  const namespaced = () => deletableResources().filter((resource) => resource.namespaced);
  const makers: ControllerMaker[] = [
    entry("serviceaccount-controller", "service-account-controller", serviceAccountController),
    entry("root-ca-certificate-publisher-controller", "root-ca-cert-publisher", (context) => rootCaPublisher(context, { caPem })),
    entry(
      "kube-apiserver-serving-clustertrustbundle-publisher-controller",
      "kube-apiserver-serving-clustertrustbundle-publisher",
      (context) => clusterTrustBundlePublisher(context, { caPem }),
    ),
    entry("podcertificaterequest-cleaner-controller", "podcertificaterequestcleaner", podCertificateRequestCleaner),
    entry("storage-version-migrator-controller", "storage-version-migrator-controller", (context) =>
      storageVersionMigratorController(context, { resources: deletableResources }),
    ),
    entry("customresourcedefinition-controller", "customresourcedefinition-controller", customResourceDefinitionController),
    entry("deployment-controller", "deployment-controller", deploymentController),
    entry("replicaset-controller", "replicaset-controller", replicaSetController),
    entry("daemonset-controller", "daemon-set-controller", daemonSetController),
    entry("statefulset-controller", "statefulset-controller", statefulSetController),
    entry("job-controller", "job-controller", jobController),
    entry("cronjob-controller", "cronjob-controller", (context) => cronJobController(context, { localTimeZone })),
    entry("ttl-after-finished-controller", "ttl-after-finished-controller", ttlAfterFinishedController),
    entry("disruption-controller", "disruption-controller", (context) => disruptionController(context, { resources: deletableResources })),
    entry("horizontal-pod-autoscaler-controller", "horizontal-pod-autoscaler", (context) =>
      horizontalPodAutoscalerController(context, { resources: deletableResources }),
    ),
    entry("replicationcontroller-controller", "replication-controller", replicationController),
    entry("endpointslice-controller", "endpointslice-controller", endpointSliceController),
    entry("endpoints-controller", "endpoint-controller", endpointController),
    entry("service-lb-controller", "service-controller", (context) => serviceLbController(context, loadBalancers)),
    entry("namespace-controller", "namespace-controller", (context) => namespaceController(context, { deletableResources: namespaced })),
    entry("node-lifecycle-controller", "node-controller", nodeLifecycleController),
    entry("taint-eviction-controller", "node-controller", taintEvictionController),
    entry("pod-garbage-collector-controller", "pod-garbage-collector", podGcController),
    entry("resourcequota-controller", "resourcequota-controller", (context) =>
      resourceQuotaController(context, { countableResources: namespaced }),
    ),
    entry(
      "validatingadmissionpolicy-status-controller",
      "validatingadmissionpolicy-status-controller",
      validatingAdmissionPolicyStatusController,
    ),
    entry("resourceclaim-controller", "resource-claim-controller", resourceClaimController),
    entry("device-taint-eviction-controller", "device-taint-eviction-controller", deviceTaintEvictionController),
    entry("clusterrole-aggregation-controller", "clusterrole-aggregation-controller", clusterRoleAggregationController),
    entry("endpointslice-mirroring-controller", "endpointslicemirroring-controller", endpointSliceMirroringController),
    entry("service-cidr-controller", "service-cidrs-controller", serviceCidrController),
    entry("bootstrap-signer-controller", "bootstrap-signer", bootstrapSignerController),
    entry("token-cleaner-controller", "token-cleaner", tokenCleanerController),
    entry("legacy-serviceaccount-token-cleaner-controller", "legacy-service-account-token-cleaner", legacyTokenCleanerController),
    entry("persistentvolume-binder-controller", "persistent-volume-binder", persistentVolumeBinderController),
    entry("persistentvolume-attach-detach-controller", "attachdetach-controller", attachDetachController),
    entry("persistentvolume-expander-controller", "expand-controller", volumeExpandController),
    entry("persistentvolumeclaim-protection-controller", "pvc-protection-controller", claimProtectionController),
    entry("persistentvolume-protection-controller", "pv-protection-controller", volumeProtectionController),
    entry(
      "volumeattributesclass-protection-controller",
      "volumeattributesclass-protection-controller",
      attributesClassProtectionController,
    ),
    entry("ephemeral-volume-controller", "ephemeral-volume-controller", ephemeralVolumeController),
    entry("local-path-provisioner", "local-path-provisioner", localPathController),
    entry("garbage-collector-controller", "generic-garbage-collector", (context) =>
      garbageCollectorController(context, { resources: deletableResources }),
    ),
  ];
  if (clusterCidr !== undefined) {
    makers.push(entry("node-ipam-controller", "node-controller", (context) => nodeIpamController(context, { clusterCidr })));
  }
  return [...makers, ...credentialControllers(options)];
}

/** Those that need a key of the cluster's. */
function credentialControllers({ caPem, authority, issueSecretToken }: DefaultControllersOptions): readonly ControllerMaker[] {
  const makers: ControllerMaker[] = [];
  if (authority !== undefined) {
    const account = "certificate-controller";
    makers.push(
      entry("certificatesigningrequest-approving-controller", account, (context) => csrApprovingController(context, { authority })),
      entry("certificatesigningrequest-signing-controller", account, (context) => csrSigningController(context, { authority })),
      entry("certificatesigningrequest-cleaner-controller", account, (context) => csrCleanerController(context, { authority })),
    );
  }
  if (issueSecretToken !== undefined) {
    const options = { caPem, issue: issueSecretToken };
    makers.push(entry("serviceaccount-token-controller", "token-controller", (context) => serviceAccountTokenController(context, options)));
  }
  return makers;
}

function entry(name: string, serviceAccount: string, make: ControllerMaker["make"]): ControllerMaker {
  return { name, serviceAccount, make };
}
