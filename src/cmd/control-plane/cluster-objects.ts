// Objects that every cluster of k8ts has from its start. What became of existing ones stays.
import { type ResourceRef, resources } from "../../api/index.ts";
import type { Client } from "../../client/index.ts";
import { LOCAL_PATH_PROVISIONER } from "../../controllers/index.ts";
import { isAlreadyExists, type KubeObject } from "../../machinery/index.ts";

export interface ClusterObjectsOptions {
  readonly client: Client;
  /** By which nodes that join know the API server, PEM. */
  readonly caPem: string;
  /** `https://host:port` under which they reach it. */
  readonly server: string;
  readonly signal: AbortSignal;
}

/** Makes the default storage class, and what joining nodes are told: `cluster-info`. */
export async function ensureClusterObjects({ client, caPem, server, signal }: ClusterObjectsOptions): Promise<void> {
  const storageClass = {
    metadata: { name: "local-path", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
    provisioner: LOCAL_PATH_PROVISIONER,
    reclaimPolicy: "Delete",
    volumeBindingMode: "WaitForFirstConsumer",
  };
  const clusterInfo = {
    metadata: { name: "cluster-info", namespace: "kube-public" },
    data: { kubeconfig: JSON.stringify(infoKubeconfig(caPem, server)) },
  };
  await ensure(client, resources.storageclasses, storageClass, signal);
  await ensure(client, resources.configmaps, clusterInfo, signal);
}

/** A kubeconfig that says where the cluster is, and nothing about who asks. */
function infoKubeconfig(caPem: string, server: string): object {
  const cluster = { "certificate-authority-data": Buffer.from(caPem).toString("base64"), server };
  return {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "", cluster }],
    contexts: [],
    users: [],
    preferences: {},
    "current-context": "",
  };
}

async function ensure<T extends KubeObject>(client: Client, resource: ResourceRef<T>, object: T, signal: AbortSignal): Promise<void> {
  try {
    await client.create(resource, object as never, { namespace: object.metadata.namespace, signal });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}
