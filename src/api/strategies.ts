// Which strategy belongs to which resource, by `group/plural`. A resource without one has no defaults and no validation
// beyond its schema.

import { controllerRevisionStrategy } from "./apps/controller-revision.ts";
import { daemonSetStrategy } from "./apps/daemon-set.ts";
import { deploymentStrategy } from "./apps/deployment.ts";
import { replicaSetStrategy } from "./apps/replica-set.ts";
import { statefulSetStrategy } from "./apps/stateful-set.ts";
import { cronJobStrategy } from "./batch/cron-job.ts";
import { jobStrategy } from "./batch/job.ts";
import { leaseStrategy } from "./coordination/lease.ts";
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
import { podDisruptionBudgetStrategy } from "./policy/pod-disruption-budget.ts";
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
};
