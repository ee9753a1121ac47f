// The flow schemas and priority levels that every cluster has. Mandatory ones are kept as they are here; the others are made
// once and then the administrator's.
import type { FlowSchema, PolicyRulesWithSubjects, PriorityLevelConfiguration } from "../../api/types/flowcontrol/v1.ts";

type Rules = PolicyRulesWithSubjects;
type Subject = Rules["subjects"][number];

const group = (name: string): Subject => ({ kind: "Group", group: { name } });
const user = (name: string): Subject => ({ kind: "User", user: { name } });
const kubeSystemAccount = (name: string): Subject => ({ kind: "ServiceAccount", serviceAccount: { namespace: "kube-system", name } });

/** DEVIATION: the process that plays hollow nodes asks what nodes ask, and is no member of their group. */
const nodes = [group("system:nodes"), user("k8ts:hollow-nodes")];
const everyone = [group("system:unauthenticated"), group("system:authenticated")];

const everything: Pick<Rules, "resourceRules" | "nonResourceRules"> = {
  resourceRules: [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"], clusterScope: true, namespaces: ["*"] }],
  nonResourceRules: [{ verbs: ["*"], nonResourceURLs: ["*"] }],
};
const leases = { verbs: ["get", "create", "update"], apiGroups: ["coordination.k8s.io"], resources: ["leases"], namespaces: ["*"] };
const endpoints = { verbs: ["get", "create", "update"], apiGroups: [""], resources: ["endpoints"], namespaces: ["*"] };
const nodeHigh = [
  { verbs: ["*"], apiGroups: [""], resources: ["nodes", "nodes/status"], clusterScope: true, namespaces: ["*"] },
  { verbs: ["*"], apiGroups: ["coordination.k8s.io"], resources: ["leases"], namespaces: ["*"] },
];

const annotations = { "apf.kubernetes.io/autoupdate-spec": "true" };

interface SchemaRow {
  readonly level: string;
  readonly precedence: number;
  readonly by?: "ByUser" | "ByNamespace";
  readonly rules: readonly Rules[];
}

function flowSchema(name: string, { level, precedence, by, rules }: SchemaRow): FlowSchema {
  return {
    metadata: { name, annotations },
    spec: {
      priorityLevelConfiguration: { name: level },
      matchingPrecedence: precedence,
      ...(by === undefined ? {} : { distinguisherMethod: { type: by } }),
      rules: [...rules],
    },
  };
}

interface LevelRow {
  readonly shares: number;
  readonly lendable: number;
  /** Queues and the hand of a flow; absent: requests beyond the limit are rejected. */
  readonly queuing?: readonly [queues: number, handSize: number];
}

function priorityLevel(name: string, { shares, lendable, queuing }: LevelRow): PriorityLevelConfiguration {
  const [queues, handSize] = queuing ?? [];
  const limitResponse =
    queues === undefined || handSize === undefined
      ? { type: "Reject" }
      : { type: "Queue", queuing: { queues, handSize, queueLengthLimit: 50 } };
  const limited = { nominalConcurrencyShares: shares, lendablePercent: lendable, limitResponse };
  return { metadata: { name, annotations }, spec: { type: "Limited", limited } };
}

export const mandatoryLevels: readonly PriorityLevelConfiguration[] = [
  { metadata: { name: "exempt", annotations }, spec: { type: "Exempt", exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } } },
  priorityLevel("catch-all", { shares: 5, lendable: 0 }),
];

export const mandatorySchemas: readonly FlowSchema[] = [
  flowSchema("exempt", { level: "exempt", precedence: 1, rules: [{ subjects: [group("system:masters")], ...everything }] }),
  flowSchema("catch-all", { level: "catch-all", precedence: 10_000, by: "ByUser", rules: [{ subjects: everyone, ...everything }] }),
];

export const suggestedLevels: readonly PriorityLevelConfiguration[] = [
  priorityLevel("system", { shares: 30, lendable: 33, queuing: [64, 6] }),
  priorityLevel("node-high", { shares: 40, lendable: 25, queuing: [64, 6] }),
  priorityLevel("leader-election", { shares: 10, lendable: 0, queuing: [16, 4] }),
  priorityLevel("workload-high", { shares: 40, lendable: 50, queuing: [128, 6] }),
  priorityLevel("workload-low", { shares: 100, lendable: 90, queuing: [128, 6] }),
  priorityLevel("global-default", { shares: 20, lendable: 50, queuing: [128, 6] }),
];

const probes = [{ verbs: ["get"], nonResourceURLs: ["/healthz", "/readyz", "/livez"] }];
const managerAndScheduler = [user("system:kube-controller-manager"), user("system:kube-scheduler")];

export const suggestedSchemas: readonly FlowSchema[] = [
  flowSchema("probes", { level: "exempt", precedence: 2, rules: [{ subjects: everyone, nonResourceRules: probes }] }),
  flowSchema("system-leader-election", {
    level: "leader-election",
    precedence: 100,
    by: "ByUser",
    rules: [{ subjects: [...managerAndScheduler, kubeSystemAccount("*")], resourceRules: [leases] }],
  }),
  flowSchema("endpoint-controller", {
    level: "workload-high",
    precedence: 150,
    by: "ByUser",
    rules: [{ subjects: [user("system:kube-controller-manager"), kubeSystemAccount("endpoint-controller")], resourceRules: [endpoints] }],
  }),
  flowSchema("workload-leader-election", {
    level: "leader-election",
    precedence: 200,
    by: "ByUser",
    rules: [{ subjects: [kubeSystemAccount("*")], resourceRules: [leases] }],
  }),
  flowSchema("system-node-high", {
    level: "node-high",
    precedence: 400,
    by: "ByUser",
    rules: [{ subjects: nodes, resourceRules: nodeHigh }],
  }),
  flowSchema("system-nodes", {
    level: "system",
    precedence: 500,
    by: "ByUser",
    rules: [{ subjects: nodes, ...everything }],
  }),
  flowSchema("kube-controller-manager", {
    level: "workload-high",
    precedence: 800,
    by: "ByNamespace",
    rules: [{ subjects: [user("system:kube-controller-manager")], ...everything }],
  }),
  flowSchema("kube-scheduler", {
    level: "workload-high",
    precedence: 800,
    by: "ByNamespace",
    rules: [{ subjects: [user("system:kube-scheduler")], ...everything }],
  }),
  flowSchema("kube-system-service-accounts", {
    level: "workload-high",
    precedence: 900,
    by: "ByNamespace",
    rules: [{ subjects: [kubeSystemAccount("*")], ...everything }],
  }),
  flowSchema("service-accounts", {
    level: "workload-low",
    precedence: 9000,
    by: "ByUser",
    rules: [{ subjects: [group("system:serviceaccounts")], ...everything }],
  }),
  flowSchema("global-default", {
    level: "global-default",
    precedence: 9900,
    by: "ByUser",
    rules: [{ subjects: everyone, ...everything }],
  }),
];
