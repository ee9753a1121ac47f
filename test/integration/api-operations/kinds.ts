// The kinds that conformance wants to see all API operations of, each with a manifest that the server takes.

export interface KindCase {
  /** `/api/v1`, `/apis/apps/v1`, … */
  readonly root: string;
  readonly resource: string;
  readonly kind: string;
  readonly isNamespaced: boolean;
  /** What stands beside the metadata. */
  readonly content: object;
  /** What is written into the status, where the kind has one; it must come back as it was written. */
  readonly status?: object;
  /** The name of an object, where it may not be any. */
  readonly name?: (number: number) => string;
}

const container = { name: "c", image: "i" };
const selector = { matchLabels: { app: "a" } };
const template = { metadata: { labels: { app: "a" } }, spec: { containers: [container] } };
const jobTemplate = { spec: { ...template.spec, restartPolicy: "Never" } };
const condition = { type: "StatusUpdate", status: "True", reason: "Test", message: "set by a test" };
const conditions = [{ ...condition, lastTransitionTime: "2026-01-01T00:00:00Z" }];
const clientConfig = { url: "https://hooks.example.com/" };
const webhooks = [{ name: "w.example.com", clientConfig, sideEffects: "None", admissionReviewVersions: ["v1"], rules: [] }];
const matchConstraints = {
  resourceRules: [{ operations: ["CREATE"], apiGroups: ["none.example.com"], apiVersions: ["v1"], resources: ["nothings"] }],
};
const mutation = { patchType: "ApplyConfiguration", applyConfiguration: { expression: "Object{}" } };
const claimSpec = { devices: { requests: [{ name: "r", exactly: { deviceClassName: "c.example.com" } }] } };
const backend = { service: { name: "s", port: { number: 80 } } };
const metric = { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } } };

const core = (resource: string, kind: string, content: object, more: Partial<KindCase> = {}): KindCase => ({
  root: "/api/v1",
  resource,
  kind,
  isNamespaced: true,
  content,
  ...more,
});
const grouped = (group: string, resource: string, kind: string, content: object, more: Partial<KindCase> = {}): KindCase => ({
  ...core(resource, kind, content, more),
  root: `/apis/${group}`,
});
const global = { isNamespaced: false };

export const kinds: readonly KindCase[] = [
  core("configmaps", "ConfigMap", { data: { a: "1" } }),
  core("endpoints", "Endpoints", { subsets: [{ addresses: [{ ip: "192.0.2.1" }], ports: [{ name: "http", port: 80 }] }] }),
  core("events", "Event", { involvedObject: { kind: "Pod", name: "p", namespace: "default" }, reason: "Test", type: "Normal" }),
  core("limitranges", "LimitRange", { spec: { limits: [{ type: "Container", default: { cpu: "1" } }] } }),
  core("nodes", "Node", {}, { ...global, status: { conditions } }),
  core(
    "persistentvolumes",
    "PersistentVolume",
    { spec: { capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"], hostPath: { path: "/tmp/v" } } },
    { ...global, status: { phase: "Pending", message: "set by a test" } },
  ),
  core(
    "persistentvolumeclaims",
    "PersistentVolumeClaim",
    { spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } } },
    { status: { phase: "Pending", conditions } },
  ),
  core(
    "pods",
    "Pod",
    { spec: { containers: [container], volumes: [{ name: "v", csi: { driver: "d.example.com" } }] } },
    { status: { phase: "Running", message: "set by a test" } },
  ),
  core("podtemplates", "PodTemplate", { template }),
  core(
    "replicationcontrollers",
    "ReplicationController",
    { spec: { replicas: 0, selector: { app: "a" }, template } },
    { status: { replicas: 0, conditions } },
  ),
  core("resourcequotas", "ResourceQuota", { spec: { hard: { pods: "100" } } }, { status: { hard: { pods: "100" }, used: { pods: "1" } } }),
  core("secrets", "Secret", { stringData: { a: "1" } }),
  core("serviceaccounts", "ServiceAccount", { automountServiceAccountToken: false }),
  core("services", "Service", { spec: { ports: [{ port: 80 }] } }, { status: { loadBalancer: {}, conditions } }),
  grouped("admissionregistration.k8s.io/v1", "mutatingwebhookconfigurations", "MutatingWebhookConfiguration", { webhooks }, global),
  grouped("admissionregistration.k8s.io/v1", "validatingwebhookconfigurations", "ValidatingWebhookConfiguration", { webhooks }, global),
  grouped(
    "admissionregistration.k8s.io/v1",
    "validatingadmissionpolicies",
    "ValidatingAdmissionPolicy",
    { spec: { matchConstraints, validations: [{ expression: "true" }] } },
    { ...global, status: { observedGeneration: 1, conditions } },
  ),
  grouped(
    "admissionregistration.k8s.io/v1",
    "validatingadmissionpolicybindings",
    "ValidatingAdmissionPolicyBinding",
    { spec: { policyName: "p", validationActions: ["Deny"] } },
    global,
  ),
  grouped(
    "admissionregistration.k8s.io/v1",
    "mutatingadmissionpolicies",
    "MutatingAdmissionPolicy",
    { spec: { matchConstraints, reinvocationPolicy: "Never", mutations: [mutation] } },
    global,
  ),
  grouped(
    "admissionregistration.k8s.io/v1",
    "mutatingadmissionpolicybindings",
    "MutatingAdmissionPolicyBinding",
    { spec: { policyName: "p" } },
    global,
  ),
  grouped("apps/v1", "controllerrevisions", "ControllerRevision", { revision: 1, data: { a: 1 } }),
  grouped("apps/v1", "daemonsets", "DaemonSet", { spec: { selector, template } }, { status: { numberMisscheduled: 0, conditions } }),
  grouped("apps/v1", "deployments", "Deployment", { spec: { replicas: 0, selector, template } }, { status: { conditions } }),
  grouped("apps/v1", "replicasets", "ReplicaSet", { spec: { replicas: 0, selector, template } }, { status: { replicas: 0, conditions } }),
  grouped(
    "apps/v1",
    "statefulsets",
    "StatefulSet",
    { spec: { replicas: 0, serviceName: "s", selector, template } },
    { status: { replicas: 0, conditions } },
  ),
  grouped(
    "autoscaling/v2",
    "horizontalpodautoscalers",
    "HorizontalPodAutoscaler",
    { spec: { maxReplicas: 2, scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "d" }, metrics: [metric] } },
    { status: { desiredReplicas: 1, currentReplicas: 1, conditions } },
  ),
  grouped(
    "batch/v1",
    "cronjobs",
    "CronJob",
    { spec: { schedule: "* */1 * * ?", jobTemplate: { spec: { template: jobTemplate } } } },
    { status: { lastScheduleTime: "2026-01-01T00:00:00Z" } },
  ),
  grouped("batch/v1", "jobs", "Job", { spec: { template: jobTemplate } }, { status: { active: 1, conditions } }),
  grouped("coordination.k8s.io/v1", "leases", "Lease", { spec: { holderIdentity: "h", leaseDurationSeconds: 30 } }),
  grouped("discovery.k8s.io/v1", "endpointslices", "EndpointSlice", {
    addressType: "IPv4",
    endpoints: [{ addresses: ["192.0.2.1"] }],
    ports: [{ name: "http", port: 80, protocol: "TCP" }],
  }),
  grouped("events.k8s.io/v1", "events", "Event", {
    regarding: { kind: "Pod", name: "p", namespace: "default" },
    reason: "Test",
    type: "Normal",
    action: "Do",
    reportingController: "test",
    reportingInstance: "test-1",
    eventTime: "2026-01-01T00:00:00.000000Z",
  }),
  grouped(
    "flowcontrol.apiserver.k8s.io/v1",
    "flowschemas",
    "FlowSchema",
    { spec: { matchingPrecedence: 10000, priorityLevelConfiguration: { name: "global-default" } } },
    { ...global, status: { conditions: [conditions[0]] } },
  ),
  grouped(
    "flowcontrol.apiserver.k8s.io/v1",
    "prioritylevelconfigurations",
    "PriorityLevelConfiguration",
    { spec: { type: "Limited", limited: { nominalConcurrencyShares: 2, limitResponse: { type: "Reject" } } } },
    { ...global, status: { conditions: [conditions[0]] } },
  ),
  grouped(
    "networking.k8s.io/v1",
    "ingresses",
    "Ingress",
    { spec: { defaultBackend: backend } },
    { status: { loadBalancer: { ingress: [{ ip: "192.0.2.9" }] } } },
  ),
  grouped("networking.k8s.io/v1", "ingressclasses", "IngressClass", { spec: { controller: "example.com/c" } }, global),
  grouped(
    "networking.k8s.io/v1",
    "ipaddresses",
    "IPAddress",
    { spec: { parentRef: { resource: "services", name: "s", namespace: "default" } } },
    { ...global, name: (number) => `198.51.100.${number}` },
  ),
  grouped("networking.k8s.io/v1", "networkpolicies", "NetworkPolicy", { spec: { podSelector: {} } }),
  grouped("node.k8s.io/v1", "runtimeclasses", "RuntimeClass", { handler: "h" }, global),
  grouped(
    "policy/v1",
    "poddisruptionbudgets",
    "PodDisruptionBudget",
    { spec: { minAvailable: 1, selector } },
    { status: { disruptionsAllowed: 1, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1, observedGeneration: 1 } },
  ),
  grouped("rbac.authorization.k8s.io/v1", "roles", "Role", { rules: [] }),
  grouped("resource.k8s.io/v1", "deviceclasses", "DeviceClass", { spec: {} }, global),
  grouped("resource.k8s.io/v1", "resourceclaims", "ResourceClaim", { spec: claimSpec }, { status: { allocation: { devices: {} } } }),
  grouped("resource.k8s.io/v1", "resourceclaimtemplates", "ResourceClaimTemplate", { spec: { spec: claimSpec } }),
  grouped(
    "resource.k8s.io/v1",
    "resourceslices",
    "ResourceSlice",
    {
      spec: { driver: "d.example.com", nodeName: "n", pool: { name: "p", generation: 1, resourceSliceCount: 1 }, devices: [{ name: "d" }] },
    },
    global,
  ),
  grouped("scheduling.k8s.io/v1", "priorityclasses", "PriorityClass", { value: 100 }, global),
  grouped("storage.k8s.io/v1", "csidrivers", "CSIDriver", { spec: { attachRequired: false } }, global),
  grouped("storage.k8s.io/v1", "csinodes", "CSINode", { spec: { drivers: [{ name: "d.example.com", nodeID: "n" }] } }, global),
  grouped("storage.k8s.io/v1", "csistoragecapacities", "CSIStorageCapacity", { storageClassName: "fast", capacity: "1Gi" }),
  grouped("storage.k8s.io/v1", "storageclasses", "StorageClass", { provisioner: "p.example.com" }, global),
  grouped(
    "storage.k8s.io/v1",
    "volumeattachments",
    "VolumeAttachment",
    { spec: { attacher: "a.example.com", nodeName: "n", source: { persistentVolumeName: "v" } } },
    { ...global, status: { attached: true } },
  ),
  grouped(
    "storage.k8s.io/v1",
    "volumeattributesclasses",
    "VolumeAttributesClass",
    { driverName: "d.example.com", parameters: { a: "1" } },
    global,
  ),
];
