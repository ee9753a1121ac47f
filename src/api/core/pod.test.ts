import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRandom, VirtualClock } from "../../base/index.ts";
import { fieldErrorMessage } from "../../machinery/index.ts";
import { podRequests } from "../pod-resources.ts";
import type { Container, ContainerStatus, Pod, PodSpec } from "../types/core/v1.ts";
import { podStrategy } from "./pod.ts";

const nowMs = Date.parse("2026-01-01T01:00:00Z");

function podWith(spec: Partial<PodSpec>, container: Partial<Container> = {}): Pod {
  const pod: Pod = { metadata: { name: "a" }, spec: { containers: [{ name: "c", image: "nginx:1.2", ...container }], ...spec } };
  podStrategy.applyDefaults?.(pod);
  return pod;
}

const messagesOf = (pod: Pod): string[] => (podStrategy.validate?.(pod) ?? []).map((error) => fieldErrorMessage(error));

function cells(pod: Pod): unknown[] {
  return (podStrategy.columns ?? []).slice(0, 4).map((column) => column.cell(pod, nowMs));
}

test("a bare pod gets upstream's defaults and the first status", () => {
  const pod = podWith({ volumes: [{ name: "v" }] }, { resources: { limits: { cpu: "1" } }, livenessProbe: { httpGet: { port: 80 } } });
  podStrategy.prepareForCreate?.(pod, { clock: new VirtualClock(), random: new SeededRandom(1) });
  assert.deepEqual(pod.spec, {
    containers: [
      {
        name: "c",
        image: "nginx:1.2",
        resources: { limits: { cpu: "1" }, requests: { cpu: "1" } },
        livenessProbe: {
          httpGet: { port: 80, path: "/", scheme: "HTTP" },
          timeoutSeconds: 1,
          periodSeconds: 10,
          successThreshold: 1,
          failureThreshold: 3,
        },
        imagePullPolicy: "IfNotPresent",
        terminationMessagePath: "/dev/termination-log",
        terminationMessagePolicy: "File",
      },
    ],
    volumes: [{ name: "v", emptyDir: {} }],
    dnsPolicy: "ClusterFirst",
    restartPolicy: "Always",
    terminationGracePeriodSeconds: 30,
    schedulerName: "default-scheduler",
    securityContext: {},
    enableServiceLinks: true,
  });
  assert.deepEqual(pod.status, { phase: "Pending", qosClass: "Burstable" });
  assert.deepEqual(messagesOf(pod), []);
});

test("wrong pods get upstream's messages", () => {
  const cases: [Pod, string][] = [
    [podWith({ containers: [] }), "spec.containers: Required value"],
    [podWith({}, { image: "" }), "spec.containers[0].image: Required value"],
    [
      podWith({ restartPolicy: "Never!" }),
      'spec.restartPolicy: Unsupported value: "Never!": supported values: "Always", "OnFailure", "Never"',
    ],
    [podWith({}, { volumeMounts: [{ name: "x", mountPath: "/x" }] }), 'spec.containers[0].volumeMounts[0].name: Not found: "x"'],
    [podWith({}, { livenessProbe: {} }), "spec.containers[0].livenessProbe: Required value: must specify a handler type"],
    [
      podWith({}, { resources: { requests: { cpu: "2" }, limits: { cpu: "1" } } }),
      'spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1',
    ],
    [
      podWith({}, { ports: [{ containerPort: 70000 }] }),
      "spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
    ],
  ];
  for (const [pod, message] of cases) assert.deepEqual(messagesOf(pod), [message]);
});

test("an update may change the image and nothing else of a container", () => {
  const old = podWith({});
  assert.deepEqual(podStrategy.validateUpdate?.(podWith({}, { image: "nginx:1.3", imagePullPolicy: "IfNotPresent" }), old), []);
  const [error] = podStrategy.validateUpdate?.(podWith({}, { command: ["sh"] }), old) ?? [];
  assert.equal(error?.type, "FieldValueForbidden");
  assert.match(error?.detail ?? "", /^pod updates may not change fields other than `spec.containers\[\*\].image`/);
});

test("the columns tell a pod's state in one word", () => {
  const status = (state: ContainerStatus["state"], more: Partial<ContainerStatus> = {}): ContainerStatus => {
    return { name: "c", image: "", imageID: "", ready: false, restartCount: 0, state, ...more };
  };
  const running = podWith({});
  running.status = { phase: "Running", containerStatuses: [status({ running: {} }, { ready: true })] };
  assert.deepEqual(cells(running), ["a", "1/1", "Running", "0"]);
  const lastState = { terminated: { exitCode: 1, finishedAt: "2026-01-01T00:55:00Z" } };
  running.status = {
    phase: "Running",
    containerStatuses: [status({ waiting: { reason: "CrashLoopBackOff" } }, { restartCount: 3, lastState })],
  };
  assert.deepEqual(cells(running), ["a", "0/1", "CrashLoopBackOff", "3 (5m ago)"]);
  const initializing = podWith({ initContainers: [{ name: "i", image: "b" }] });
  initializing.status = { phase: "Pending", initContainerStatuses: [status({ running: {} }, { name: "i" })] };
  assert.equal(cells(initializing)[2], "Init:0/1");
  initializing.metadata.deletionTimestamp = "2026-01-01T00:59:00Z";
  assert.equal(cells(initializing)[2], "Terminating");
});

test("grace is the pod's own, none before it is scheduled, and never negative", () => {
  const grace = podStrategy.gracePeriodSeconds;
  assert.equal(grace?.(podWith({ nodeName: "n" }), undefined), 30);
  assert.equal(grace?.(podWith({}), undefined), 0);
  assert.equal(grace?.(podWith({ nodeName: "n" }), -5), 1);
});

test("sidecars add to the containers, other init containers only raise the peak", () => {
  const request = (cpu: string) => ({ resources: { requests: { cpu } } });
  const pod = podWith(
    {
      initContainers: [
        { name: "side", image: "b", restartPolicy: "Always", ...request("100m") },
        { name: "init", image: "b", ...request("500m") },
      ],
    },
    request("200m"),
  );
  assert.equal(podRequests(pod).cpuMilli, 600);
});

test("huge pages come whole, never more than the limit, and beside cpu or memory", () => {
  const errorsOf = (limits: Record<string, string>) =>
    podStrategy.validate?.(podWith({}, { resources: { limits, requests: limits } })).map((error) => fieldErrorMessage(error));
  assert.deepEqual(errorsOf({ memory: "1Gi", "hugepages-2Mi": "4Mi" }), []);
  assert.deepEqual(errorsOf({ memory: "1Gi", "hugepages-2Mi": "3Mi" }), [
    'spec.containers[0].resources.limits[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi',
    'spec.containers[0].resources.requests[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi',
  ]);
  assert.deepEqual(errorsOf({ "hugepages-2Mi": "4Mi" }), ["spec.containers[0].resources: Forbidden: HugePages require cpu or memory"]);
});

test("a resize may change what the pod as a whole has, but take none of it away", () => {
  const sized = (resources: Container["resources"]) => podWith({ resources });
  const old = sized({ requests: { cpu: "1" }, limits: { cpu: "2", memory: "1Gi" } });
  const errorsOf = (pod: Pod) => podStrategy.validateSubresourceUpdate?.["resize"]?.(pod, old).map((error) => fieldErrorMessage(error));
  assert.deepEqual(errorsOf(sized({ requests: { cpu: "1500m" }, limits: { cpu: "2", memory: "2Gi" } })), []);
  assert.deepEqual(errorsOf(sized({ requests: { cpu: "1", memory: "1Gi" }, limits: { cpu: "2" } })), [
    "spec.resources.limits: Forbidden: resource limits cannot be removed",
  ]);
});

test("a resize may change cpu and memory within the pod's class, and nothing else", () => {
  const sized = (resources: Container["resources"], more: Partial<Container> = {}) => podWith({}, { resources, ...more });
  const old = sized({ requests: { cpu: "1", memory: "1Gi" } });
  const errorsOf = (pod: Pod) => podStrategy.validateSubresourceUpdate?.["resize"]?.(pod, old).map((error) => fieldErrorMessage(error));
  assert.deepEqual(errorsOf(sized({ requests: { cpu: "2", memory: "512Mi" } })), []);
  assert.deepEqual(errorsOf(sized({ requests: { cpu: "2" } })), [
    "spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed",
  ]);
  assert.deepEqual(errorsOf(sized({ requests: { cpu: "1", memory: "1Gi", "ephemeral-storage": "1Gi" } })), [
    "spec: Forbidden: only cpu and memory resources are mutable",
  ]);
  assert.deepEqual(errorsOf(sized({ limits: { cpu: "1", memory: "1Gi" }, requests: { cpu: "1", memory: "1Gi" } })), [
    'spec: Invalid value: "Burstable": Pod QOS Class may not change as a result of resizing',
  ]);
});
