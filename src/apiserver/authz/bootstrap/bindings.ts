// The default bindings, and the roles inside of kube-system and kube-public.
import type { ClusterRoleBinding, Role, RoleBinding, Subject } from "../../../api/types/rbac/v1.ts";
import { controllerRules } from "./controller-roles.ts";
import { bootstrapMetadata, READ, rule } from "./rule.ts";

const API_GROUP = "rbac.authorization.k8s.io";
const API_VERSION = `${API_GROUP}/v1`;

const group = (name: string): Subject => ({ kind: "Group", apiGroup: API_GROUP, name });
const user = (name: string): Subject => ({ kind: "User", apiGroup: API_GROUP, name });
const account = (name: string): Subject => ({ kind: "ServiceAccount", name, namespace: "kube-system" });

function bind(name: string, subjects: Subject[], role = name): ClusterRoleBinding {
  return {
    apiVersion: API_VERSION,
    kind: "ClusterRoleBinding",
    metadata: bootstrapMetadata(name),
    roleRef: { apiGroup: API_GROUP, kind: "ClusterRole", name: role },
    subjects,
  };
}

const authenticated = group("system:authenticated");

export const clusterRoleBindings: readonly ClusterRoleBinding[] = [
  bind("cluster-admin", [group("system:masters")]),
  bind("system:monitoring", [group("system:monitoring")]),
  bind("system:discovery", [authenticated]),
  bind("system:basic-user", [authenticated]),
  bind("system:public-info-viewer", [authenticated, group("system:unauthenticated")]),
  // DEVIATION: the agent is kubelet and proxy in one and has one identity, the node's.
  bind("system:node-proxier", [user("system:kube-proxy"), group("system:nodes")]),
  bind("k8ts:node-network-policy", [group("system:nodes")]),
  bind("system:kube-controller-manager", [user("system:kube-controller-manager")]),
  bind("system:kube-dns", [account("kube-dns")]),
  bind("k8ts:node-local-path", [group("system:nodes")]),
  bind("k8ts:hollow-nodes", [user("k8ts:hollow-nodes")]),
  bind("system:kube-scheduler", [user("system:kube-scheduler")]),
  bind("system:volume-scheduler", [user("system:kube-scheduler")]),
  bind("system:node", []),
  bind("system:cluster-trust-bundle-discovery", [group("system:serviceaccounts")]),
  bind("system:service-account-issuer-discovery", [group("system:serviceaccounts")]),
  ...Object.keys(controllerRules).map((name) => bind(`system:controller:${name}`, [account(name)])),
];

function role(namespace: string, name: string, rules: Role["rules"]): Role {
  return { apiVersion: API_VERSION, kind: "Role", metadata: { ...bootstrapMetadata(name), namespace }, rules };
}

function roleBinding(namespace: string, name: string, subjects: Subject[]): RoleBinding {
  return {
    apiVersion: API_VERSION,
    kind: "RoleBinding",
    metadata: { ...bootstrapMetadata(name), namespace },
    roleRef: { apiGroup: API_GROUP, kind: "Role", name },
    subjects,
  };
}

const leader = (name: string) => [rule("watch", "", "configmaps"), rule("get update", "", "configmaps", name)];

export const roles: readonly Role[] = [
  role("kube-system", "extension-apiserver-authentication-reader", [rule(READ, "", "configmaps", "extension-apiserver-authentication")]),
  role("kube-system", "system:controller:bootstrap-signer", [rule(READ, "", "secrets")]),
  role("kube-system", "system:controller:cloud-provider", [rule("create get list watch", "", "configmaps")]),
  role("kube-system", "system:controller:token-cleaner", [
    rule("delete get list watch", "", "secrets"),
    rule("create patch update", "", "events"),
  ]),
  role("kube-system", "k8ts:node-dns", [rule(READ, "", "configmaps", "kube-dns")]),
  role("kube-system", "system::leader-locking-kube-controller-manager", leader("kube-controller-manager")),
  role("kube-system", "system::leader-locking-kube-scheduler", leader("kube-scheduler")),
  role("kube-public", "system:controller:bootstrap-signer", [
    rule(READ, "", "configmaps"),
    rule("update", "", "configmaps", "cluster-info"),
    rule("create patch update", "", "events"),
  ]),
];

const manager = user("system:kube-controller-manager");
const scheduler = user("system:kube-scheduler");

export const roleBindings: readonly RoleBinding[] = [
  roleBinding("kube-system", "extension-apiserver-authentication-reader", [manager, scheduler]),
  roleBinding("kube-system", "system:controller:bootstrap-signer", [account("bootstrap-signer")]),
  roleBinding("kube-system", "system:controller:cloud-provider", [account("cloud-provider")]),
  roleBinding("kube-system", "system:controller:token-cleaner", [account("token-cleaner")]),
  roleBinding("kube-system", "k8ts:node-dns", [group("system:nodes")]),
  roleBinding("kube-system", "system::leader-locking-kube-controller-manager", [manager, account("kube-controller-manager")]),
  roleBinding("kube-system", "system::leader-locking-kube-scheduler", [scheduler, account("kube-scheduler")]),
  roleBinding("kube-public", "system:controller:bootstrap-signer", [account("bootstrap-signer")]),
];
