// Which strategy belongs to which resource, by `group/plural`. A resource without one has no defaults and no validation
// beyond its schema.
import { deploymentStrategy } from "./apps/deployment.ts";
import { replicaSetStrategy } from "./apps/replica-set.ts";
import { leaseStrategy } from "./coordination/lease.ts";
import { configMapStrategy } from "./core/config-map.ts";
import { endpointsStrategy } from "./core/endpoints.ts";
import { eventStrategy } from "./core/event.ts";
import { namespaceStrategy } from "./core/namespace.ts";
import { nodeStrategy } from "./core/node.ts";
import { podStrategy } from "./core/pod.ts";
import { secretStrategy } from "./core/secret.ts";
import { serviceStrategy } from "./core/service.ts";
import { serviceAccountStrategy } from "./core/service-account.ts";
import { endpointSliceStrategy } from "./discovery/endpoint-slice.ts";
import { clusterRoleStrategy } from "./rbac/cluster-role.ts";
import { clusterRoleBindingStrategy } from "./rbac/cluster-role-binding.ts";
import { roleStrategy } from "./rbac/role.ts";
import { roleBindingStrategy } from "./rbac/role-binding.ts";
import type { KindStrategy } from "./strategy.ts";

// biome-ignore lint/suspicious/noExplicitAny: a table of strategies of many types; each is used only with its own kind
export const strategies: Readonly<Record<string, KindStrategy<any>>> = {
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
};
