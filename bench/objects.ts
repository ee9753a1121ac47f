// The objects of the measurements.
import type { ApiObject } from "./api.ts";

/** No scheduler answers to it: pods stay as they were created. */
export const NOBODY = "bench-nobody";

interface PodOptions {
  readonly name: string;
  readonly schedulerName?: string;
}

/** A pod as charts make them: about 3.5 kB as the server keeps it, with defaults and managed fields. */
export function realisticPod({ name, schedulerName = NOBODY }: PodOptions): ApiObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      labels: {
        app: "bench",
        "app.kubernetes.io/name": "storefront",
        "app.kubernetes.io/instance": "storefront-production",
        "app.kubernetes.io/managed-by": "Helm",
        "helm.sh/chart": "storefront-2.14.3",
      },
      annotations: {
        "checksum/config": "d2f1c0a9e6f24b7c8a1b3d5e7f9012345678901234567890abcdef0123456789",
      },
    },
    spec: podSpec(schedulerName),
  };
}

function podSpec(schedulerName: string): object {
  return {
    schedulerName,
    automountServiceAccountToken: false,
    containers: [
      {
        name: "web",
        image: "registry.example.com/shop/storefront:2.14.3",
        ports: [{ name: "http", containerPort: 8080 }],
        env: [
          { name: "DATABASE_HOST", value: "database.production.svc.cluster.local" },
          { name: "DATABASE_PASSWORD", valueFrom: { secretKeyRef: { name: "storefront-database", key: "password" } } },
        ],
        resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "256Mi" } },
        readinessProbe: { httpGet: { path: "/ready", port: "http" }, periodSeconds: 5 },
        volumeMounts: [{ name: "config", mountPath: "/etc/storefront", readOnly: true }],
      },
    ],
    volumes: [{ name: "config", configMap: { name: "storefront-config" } }],
  };
}

/** A Deployment of realistic pods, of which there are none. */
export function realisticDeployment(name: string): ApiObject {
  const selected = { app: "bench" };
  const template = { metadata: { labels: selected }, spec: podSpec(NOBODY) };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, labels: { ...selected, "app.kubernetes.io/name": "storefront" } },
    spec: { replicas: 0, selector: { matchLabels: selected }, template },
  };
}

/** One small container; what a scheduler looks at and nothing else. */
export function schedulablePod(name: string): ApiObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, labels: { app: `bench-${Number(name.replace(/\D/g, "")) % 10}` } },
    spec: {
      automountServiceAccountToken: false,
      // Node conditions of simulated nodes are nobody's care.
      tolerations: [{ operator: "Exists" }],
      nodeSelector: { "k8ts.dev/bench": "node" },
      containers: [{ name: "main", image: "registry.example.com/pause:1", resources: { requests: { cpu: "100m", memory: "100Mi" } } }],
    },
  };
}

/** A node that says it is ready, with nobody behind it. */
export function simulatedNode(name: string, index: number): ApiObject {
  const resources = { cpu: "8", memory: "32Gi", pods: "110", "ephemeral-storage": "100Gi" };
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name,
      labels: {
        "k8ts.dev/bench": "node",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "topology.kubernetes.io/zone": `zone-${index % 3}`,
      },
    },
    status: {
      capacity: resources,
      allocatable: resources,
      conditions: [{ type: "Ready", status: "True", reason: "KubeletReady" }],
    },
  };
}

/** Runs until it is deleted, and dies at once. */
export function sleepingPod(name: string, image: string): ApiObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, labels: { app: "bench" } },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [{ name: "main", image, imagePullPolicy: "IfNotPresent", command: ["sleep", "3600"] }],
    },
  };
}
