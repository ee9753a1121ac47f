// The controllers of a cluster, by the names that upstream's --controllers knows, each with its service account.
import type { ResourceRef } from "../api/index.ts";
import type { KubeObject } from "../machinery/index.ts";
import type { Controller, ControllerContext } from "./controller.ts";
import { daemonSetController } from "./daemonset/daemonset-controller.ts";
import { deploymentController } from "./deployment/deployment-controller.ts";
import { endpointController } from "./endpoint/endpoint-controller.ts";
import { endpointSliceController } from "./endpointslice/endpointslice-controller.ts";
import { ephemeralVolumeController } from "./ephemeral-volume/ephemeral-volume-controller.ts";
import { garbageCollectorController } from "./garbage-collector/garbage-collector-controller.ts";
import { localPathController } from "./local-path/local-path-controller.ts";
import { namespaceController } from "./namespace/namespace-controller.ts";
import { nodeIpamController } from "./node-ipam/node-ipam-controller.ts";
import { nodeLifecycleController } from "./node-lifecycle/node-lifecycle-controller.ts";
import { persistentVolumeBinderController } from "./persistentvolume-binder/persistentvolume-binder-controller.ts";
import { podGcController } from "./pod-gc/pod-gc-controller.ts";
import { replicaSetController } from "./replicaset/replicaset-controller.ts";
import { replicationController } from "./replication/replication-controller.ts";
import { rootCaPublisher } from "./root-ca-publisher/root-ca-publisher-controller.ts";
import type { LoadBalancerOptions } from "./service-lb/plan.ts";
import { serviceLbController } from "./service-lb/service-lb-controller.ts";
import { serviceAccountController } from "./serviceaccount/serviceaccount-controller.ts";
import { statefulSetController } from "./statefulset/statefulset-controller.ts";
import { taintEvictionController } from "./taint-eviction/taint-eviction-controller.ts";
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
  const { caPem, clusterCidr, loadBalancers = {}, deletableResources } = options;
  const namespaced = () => deletableResources().filter((resource) => resource.namespaced);
  const makers: ControllerMaker[] = [
    entry("serviceaccount-controller", "service-account-controller", serviceAccountController),
    entry("root-ca-certificate-publisher-controller", "root-ca-cert-publisher", (context) => rootCaPublisher(context, { caPem })),
    entry("deployment-controller", "deployment-controller", deploymentController),
    entry("replicaset-controller", "replicaset-controller", replicaSetController),
    entry("daemonset-controller", "daemon-set-controller", daemonSetController),
    entry("statefulset-controller", "statefulset-controller", statefulSetController),
    entry("replicationcontroller-controller", "replication-controller", replicationController),
    entry("endpointslice-controller", "endpointslice-controller", endpointSliceController),
    entry("endpoints-controller", "endpoint-controller", endpointController),
    entry("service-lb-controller", "service-controller", (context) => serviceLbController(context, loadBalancers)),
    entry("namespace-controller", "namespace-controller", (context) => namespaceController(context, { deletableResources: namespaced })),
    entry("node-lifecycle-controller", "node-controller", nodeLifecycleController),
    entry("taint-eviction-controller", "node-controller", taintEvictionController),
    entry("pod-garbage-collector-controller", "pod-garbage-collector", podGcController),
    entry("persistentvolume-binder-controller", "persistent-volume-binder", persistentVolumeBinderController),
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
  return makers;
}

function entry(name: string, serviceAccount: string, make: ControllerMaker["make"]): ControllerMaker {
  return { name, serviceAccount, make };
}
