// The objects of the measurements.
import type { ApiObject } from "./api.ts";

/** No scheduler answers to it: pods stay as they were created. */
export const NOBODY = "bench-nobody";

interface PodOptions {
  readonly name: string;
  readonly schedulerName?: string;
}

/** A pod as charts make them, about 3 kB as JSON. */
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
        "app.kubernetes.io/version": "2.14.3",
        "app.kubernetes.io/component": "web",
        "app.kubernetes.io/managed-by": "Helm",
        "helm.sh/chart": "storefront-2.14.3",
      },
      annotations: {
        "checksum/config": "d2f1c0a9e6f24b7c8a1b3d5e7f9012345678901234567890abcdef0123456789",
        "checksum/secret": "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "prometheus.io/scrape": "true",
        "prometheus.io/port": "9090",
      },
    },
    spec: podSpec(schedulerName),
  };
}

function podSpec(schedulerName: string): object {
  return {
    schedulerName,
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 30,
    securityContext: { runAsNonRoot: true, runAsUser: 1000, fsGroup: 2000, seccompProfile: { type: "RuntimeDefault" } },
    containers: [
      {
        name: "web",
        image: "registry.example.com/shop/storefront:2.14.3",
        args: ["--listen=:8080", "--metrics=:9090", "--log-format=json", "--shutdown-delay=5s"],
        ports: [
          { name: "http", containerPort: 8080 },
          { name: "metrics", containerPort: 9090 },
        ],
        env: [
          { name: "DATABASE_HOST", value: "database.production.svc.cluster.local" },
          { name: "DATABASE_NAME", value: "storefront" },
          { name: "DATABASE_PASSWORD", valueFrom: { secretKeyRef: { name: "storefront-database", key: "password" } } },
          { name: "CACHE_URL", value: "redis://cache.production.svc.cluster.local:6379/0" },
          { name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
          { name: "POD_IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
        ],
        resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { cpu: "500m", memory: "256Mi" } },
        readinessProbe: { httpGet: { path: "/ready", port: "http" }, periodSeconds: 5 },
        livenessProbe: { httpGet: { path: "/live", port: "http" }, initialDelaySeconds: 10 },
        securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } },
        volumeMounts: [
          { name: "config", mountPath: "/etc/storefront", readOnly: true },
          { name: "scratch", mountPath: "/tmp" },
        ],
      },
      {
        name: "proxy",
        image: "registry.example.com/shop/proxy:1.9.0",
        ports: [{ name: "proxy", containerPort: 15001 }],
        resources: { requests: { cpu: "50m", memory: "64Mi" }, limits: { memory: "128Mi" } },
        volumeMounts: [{ name: "scratch", mountPath: "/tmp" }],
      },
    ],
    volumes: [
      { name: "config", configMap: { name: "storefront-config" } },
      { name: "scratch", emptyDir: { sizeLimit: "64Mi" } },
    ],
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
