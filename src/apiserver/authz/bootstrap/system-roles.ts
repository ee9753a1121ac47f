// The roles of Kubernetes' components.
import type { ClusterRole } from "../../../api/types/rbac/v1.ts";
import { clusterRole, eventsRule, pathRule, READ, rule } from "./rule.ts";

const reviews = [rule("create", "authentication.k8s.io", "tokenreviews"), rule("create", "authorization.k8s.io", "subjectaccessreviews")];

/** What every node may do as far as no graph is needed; the Node authorizer adds the rest. */
export const nodeRules = [
  ...reviews,
  rule("create", "authorization.k8s.io", "localsubjectaccessreviews"),
  rule(READ, "", "services"),
  rule("create get list watch", "", "nodes"),
  rule("patch update", "", "nodes/status"),
  rule("patch update", "", "nodes"),
  eventsRule,
  rule(READ, "", "pods"),
  rule("create delete", "", "pods"),
  rule("patch update", "", "pods/status"),
  rule("create", "", "pods/eviction"),
  rule(READ, "", "configmaps secrets"),
  rule("get", "", "persistentvolumeclaims persistentvolumes"),
  rule("get", "", "endpoints"),
  rule("create get list watch", "certificates.k8s.io", "certificatesigningrequests podcertificaterequests"),
  rule(READ, "certificates.k8s.io", "clustertrustbundles"),
  rule("create delete get patch update", "coordination.k8s.io", "leases"),
  rule("get", "storage.k8s.io", "volumeattachments"),
  rule("create", "", "serviceaccounts/token"),
  rule("get", "", "serviceaccounts"),
  rule("get patch update", "", "persistentvolumeclaims/status"),
  rule(READ, "storage.k8s.io", "csidrivers"),
  rule("create delete get patch update", "storage.k8s.io", "csinodes"),
  rule(READ, "node.k8s.io", "runtimeclasses"),
  rule("get", "resource.k8s.io", "resourceclaims"),
  rule("deletecollection create delete get list patch update watch", "resource.k8s.io", "resourceslices"),
];

/** The process that plays hollow nodes: what nodes may do on themselves and their pods, for all it plays. */
const hollowNodesRules = [
  rule("create delete get list watch", "", "nodes"),
  rule("update", "", "nodes/status"),
  rule("get list watch delete", "", "pods"),
  rule("patch", "", "pods/status"),
  rule("create get update", "coordination.k8s.io", "leases"),
];

const schedulerRules = [
  eventsRule,
  rule("create", "coordination.k8s.io", "leases"),
  rule("get list update watch", "coordination.k8s.io", "leases", "kube-scheduler"),
  rule("create", "coordination.k8s.io", "leasecandidates"),
  rule(READ, "", "nodes"),
  rule("delete get list watch", "", "pods"),
  rule("create", "", "bindings pods/binding"),
  rule("patch update", "", "pods/status"),
  rule(READ, "", "replicationcontrollers services"),
  rule(READ, "apps", "replicasets statefulsets"),
  rule(READ, "policy", "poddisruptionbudgets"),
  rule("get list watch update patch", "", "persistentvolumeclaims persistentvolumes"),
  ...reviews,
  rule(READ, "storage.k8s.io", "csinodes csidrivers csistoragecapacities storageclasses volumeattachments"),
  rule(READ, "", "namespaces"),
  rule(READ, "scheduling.k8s.io", "podgroups priorityclasses workloads"),
  rule("patch update", "scheduling.k8s.io", "podgroups/status"),
  rule(READ, "resource.k8s.io", "deviceclasses devicetaintrules resourceclaims resourceslices"),
  rule("patch update", "resource.k8s.io", "resourceclaims resourceclaims/status"),
];

const controllerManagerRules = [
  eventsRule,
  rule("create", "coordination.k8s.io", "leases"),
  rule("get list update watch", "coordination.k8s.io", "leases", "kube-controller-manager"),
  rule("create", "", "secrets serviceaccounts"),
  rule("delete", "", "secrets"),
  rule("get", "", "configmaps namespaces secrets serviceaccounts"),
  rule("update", "", "secrets serviceaccounts"),
  ...reviews,
  rule("list watch", "*", "*"),
  rule("create", "", "serviceaccounts/token"),
];

export const systemRoles: readonly ClusterRole[] = [
  clusterRole("system:auth-delegator", reviews),
  clusterRole("system:node", nodeRules),
  clusterRole("system:node-bootstrapper", [rule("create get list watch", "certificates.k8s.io", "certificatesigningrequests")]),
  clusterRole("system:node-proxier", [
    rule("list watch", "", "endpoints services"),
    rule(READ, "", "nodes"),
    eventsRule,
    rule("list watch", "discovery.k8s.io", "endpointslices"),
    rule("list watch", "networking.k8s.io", "servicecidrs"),
  ]),
  clusterRole("k8ts:node-network-policy", [
    rule("list watch", "", "namespaces pods"),
    rule("list watch", "networking.k8s.io", "networkpolicies"),
  ]),
  clusterRole("system:node-problem-detector", [rule("get", "", "nodes"), rule("patch", "", "nodes/status"), eventsRule]),
  clusterRole("system:kubelet-api-admin", [
    rule(READ, "", "nodes"),
    rule("proxy", "", "nodes"),
    rule("*", "", "nodes/log nodes/metrics nodes/proxy nodes/stats nodes/configz nodes/healthz nodes/pods nodes/statusz"),
  ]),
  // Nodes keep the directories of local-path volumes, and have to learn of those that are gone.
  clusterRole("k8ts:node-local-path", [rule(READ, "", "persistentvolumes")]),
  clusterRole("k8ts:hollow-nodes", hollowNodesRules),
  clusterRole("system:kube-scheduler", schedulerRules),
  clusterRole("system:volume-scheduler", [
    rule("get list watch update patch", "", "persistentvolumes"),
    rule(READ, "storage.k8s.io", "storageclasses"),
    rule("get list watch update patch", "", "persistentvolumeclaims"),
  ]),
  clusterRole("system:kube-controller-manager", controllerManagerRules),
  clusterRole("system:kube-dns", [rule("list watch", "", "endpoints services")]),
  clusterRole("system:persistent-volume-provisioner", [
    rule("create delete get list watch", "", "persistentvolumes"),
    rule("get list update watch", "", "persistentvolumeclaims"),
    rule(READ, "storage.k8s.io", "storageclasses"),
    rule("watch", "", "events"),
    eventsRule,
  ]),
  clusterRole("system:kube-aggregator", [rule(READ, "", "endpoints services")]),
  clusterRole("system:heapster", [rule(READ, "", "events namespaces nodes pods"), rule(READ, "apps", "deployments")]),
  clusterRole("system:certificates.k8s.io:certificatesigningrequests:nodeclient", [
    rule("create", "certificates.k8s.io", "certificatesigningrequests/nodeclient"),
  ]),
  clusterRole("system:certificates.k8s.io:certificatesigningrequests:selfnodeclient", [
    rule("create", "certificates.k8s.io", "certificatesigningrequests/selfnodeclient"),
  ]),
  clusterRole("system:certificates.k8s.io:kube-apiserver-client-approver", [
    rule("approve", "certificates.k8s.io", "signers", "kubernetes.io/kube-apiserver-client"),
  ]),
  clusterRole("system:certificates.k8s.io:kube-apiserver-client-kubelet-approver", [
    rule("approve", "certificates.k8s.io", "signers", "kubernetes.io/kube-apiserver-client-kubelet"),
  ]),
  clusterRole("system:certificates.k8s.io:kubelet-serving-approver", [
    rule("approve", "certificates.k8s.io", "signers", "kubernetes.io/kubelet-serving"),
  ]),
  clusterRole("system:certificates.k8s.io:legacy-unknown-approver", [
    rule("approve", "certificates.k8s.io", "signers", "kubernetes.io/legacy-unknown"),
  ]),
  clusterRole("system:cluster-trust-bundle-discovery", [rule(READ, "certificates.k8s.io", "clustertrustbundles")]),
  clusterRole("system:service-account-issuer-discovery", [
    pathRule("get", "/.well-known/openid-configuration", "/.well-known/openid-configuration/", "/openid/v1/jwks", "/openid/v1/jwks/"),
  ]),
];
