// The plugins that are always on.
import type { AdmissionPlugin } from "./admission.ts";
import {
  CertificateApproval,
  CertificateSigning,
  certificateRequester,
  certificateSubjectRestriction,
} from "./certificates/certificate-plugins.ts";
import { ClusterTrustBundleAttest } from "./certificates/cluster-trust-bundle-attest.ts";
import { PodCertificateSigning } from "./certificates/pod-certificate-signing.ts";
import { DefaultIngressClass } from "./default-ingress-class.ts";
import { defaultTolerationSeconds } from "./default-toleration-seconds.ts";
import { DeviceAdminAccess } from "./device-admin-access.ts";
import { LimitRanger } from "./limit-ranger.ts";
import { NamespaceLifecycle } from "./namespace-lifecycle.ts";
import { NodeRestriction } from "./node-restriction/node-restriction.ts";
import { PodSecurity } from "./pod-security/pod-security.ts";
import { PodTopologyLabels } from "./pod-topology-labels.ts";
import { MutatingPolicies } from "./policy/mutating-policies.ts";
import { ValidatingPolicies } from "./policy/validating-policies.ts";
import { PriorityAdmission } from "./priority.ts";
import { ResourceQuotaAdmission } from "./quota/resource-quota.ts";
import { RuntimeClassAdmission } from "./runtime-class.ts";
import { ServiceAccountAdmission } from "./service-account.ts";
import { ClaimResize } from "./storage/claim-resize.ts";
import { DefaultStorageClass } from "./storage/default-storage-class.ts";
import { storageObjectInUseProtection } from "./storage/in-use-protection.ts";
import { taintNodesByCondition } from "./taint-nodes-by-condition.ts";
import type { HookTools } from "./webhook/hook-caller.ts";
import { MutatingWebhooks } from "./webhook/mutating-webhooks.ts";
import { ValidatingWebhooks } from "./webhook/validating-webhooks.ts";

/** In upstream's order. */
export function builtInPlugins(tools: HookTools): AdmissionPlugin[] {
  return [
    certificateRequester,
    new NamespaceLifecycle(tools),
    new LimitRanger(tools),
    new ServiceAccountAdmission(tools),
    new NodeRestriction(tools),
    taintNodesByCondition,
    new PodSecurity(tools),
    new PriorityAdmission(tools),
    defaultTolerationSeconds,
    new DefaultStorageClass(tools),
    storageObjectInUseProtection,
    new ClaimResize(tools),
    new RuntimeClassAdmission(tools),
    new CertificateApproval(tools.authorizer),
    new CertificateSigning(tools.authorizer),
    new PodCertificateSigning(tools.authorizer),
    new ClusterTrustBundleAttest(tools.authorizer),
    certificateSubjectRestriction,
    new DefaultIngressClass(tools),
    new PodTopologyLabels(tools),
    new DeviceAdminAccess(tools),
    new MutatingPolicies(tools),
    new MutatingWebhooks(tools),
    new ValidatingPolicies(tools),
    new ValidatingWebhooks(tools),
    new ResourceQuotaAdmission(tools),
  ];
}
