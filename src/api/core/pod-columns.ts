// The columns of `kubectl get pods`: readiness, the one word that tells a pod's state, restarts.

import { getCondition, isPodTerminal, isSidecar, podInitialized, podReady } from "../pod-state.ts";
import { ageColumn, column, nameColumn, textOrNone, wideColumn } from "../printing/columns.ts";
import { humanDuration } from "../printing/duration.ts";
import type { PrintedColumn } from "../strategy.ts";
import type { ContainerStateTerminated, ContainerStatus, Pod } from "../types/core/v1.ts";

interface PodSummary {
  reason: string;
  readyContainers: number;
  totalContainers: number;
  restarts: number;
  /** 0: never. */
  lastRestartMs: number;
}

function addRestarts(summary: PodSummary, status: ContainerStatus): void {
  summary.restarts += status.restartCount;
  const finishedAt = status.lastState?.terminated?.finishedAt;
  if (finishedAt !== undefined) summary.lastRestartMs = Math.max(summary.lastRestartMs, Date.parse(finishedAt));
}

function exitText({ signal, exitCode }: ContainerStateTerminated): string {
  return signal ? `Signal:${signal}` : `ExitCode:${exitCode}`;
}

/** The word for an init container that holds the pod up; undefined when it is through. */
function initReason(status: ContainerStatus, index: number, pod: Pod): string | undefined {
  const { terminated, waiting } = status.state ?? {};
  if (terminated?.exitCode === 0) return undefined;
  if (terminated) return `Init:${terminated.reason || exitText(terminated)}`;
  if (waiting?.reason && waiting.reason !== "PodInitializing") return `Init:${waiting.reason}`;
  return `Init:${index}/${pod.spec?.initContainers?.length ?? 0}`;
}

/** Goes through the init containers; answers what the sidecars among them add, and whether one holds the pod up. */
function summarizeInit(pod: Pod, summary: PodSummary): { isInitializing: boolean; sidecars: PodSummary } {
  const sidecars: PodSummary = { ...summary };
  const sidecarNames = new Set((pod.spec?.initContainers ?? []).filter(isSidecar).map(({ name }) => name));
  summary.totalContainers += sidecarNames.size;
  const statuses = pod.status?.initContainerStatuses ?? [];
  for (const [index, status] of statuses.entries()) {
    addRestarts(summary, status);
    const isRestartable = sidecarNames.has(status.name);
    if (isRestartable) addRestarts(sidecars, status);
    if (isRestartable && status.started && status.state?.terminated?.exitCode !== 0) {
      if (status.ready) summary.readyContainers++;
      continue;
    }
    const reason = initReason(status, index, pod);
    if (reason === undefined) continue;
    summary.reason = reason;
    return { isInitializing: true, sidecars };
  }
  return { isInitializing: false, sidecars };
}

function summarizeContainers(pod: Pod, summary: PodSummary): void {
  let hasRunning = false;
  for (const status of (pod.status?.containerStatuses ?? []).toReversed()) {
    addRestarts(summary, status);
    const { waiting, terminated, running } = status.state ?? {};
    if (waiting?.reason) summary.reason = waiting.reason;
    else if (terminated) summary.reason = terminated.reason || exitText(terminated);
    else if (status.ready && running) {
      hasRunning = true;
      summary.readyContainers++;
    }
  }
  if (summary.reason === "Completed" && hasRunning) summary.reason = podReady(pod) ? "Running" : "NotReady";
}

/** What `kubectl get pods` tells about a pod. */
export function summarizePod(pod: Pod): PodSummary {
  const { status } = pod;
  const summary: PodSummary = {
    reason: status?.reason || status?.phase || "",
    readyContainers: 0,
    totalContainers: pod.spec?.containers.length ?? 0,
    restarts: 0,
    lastRestartMs: 0,
  };
  if (getCondition(status?.conditions, "PodScheduled")?.reason === "SchedulingGated") summary.reason = "SchedulingGated";
  const { isInitializing, sidecars } = summarizeInit(pod, summary);
  if (!isInitializing || podInitialized(pod)) {
    summary.restarts = sidecars.restarts;
    summary.lastRestartMs = sidecars.lastRestartMs;
    summarizeContainers(pod, summary);
  }
  if (pod.metadata.deletionTimestamp !== undefined) {
    if (status?.reason === "NodeLost") summary.reason = "Unknown";
    else if (!isPodTerminal(pod)) summary.reason = "Terminating";
  }
  return summary;
}

function restartsCell(pod: Pod, nowMs: number): string {
  const { restarts, lastRestartMs } = summarizePod(pod);
  return restarts !== 0 && lastRestartMs !== 0 ? `${restarts} (${humanDuration(nowMs - lastRestartMs)} ago)` : `${restarts}`;
}

function readinessGatesCell(pod: Pod): string {
  const gates = pod.spec?.readinessGates;
  if (!gates?.length) return "<none>";
  const passed = gates.filter(({ conditionType }) => getCondition(pod.status?.conditions, conditionType)?.status === "True");
  return `${passed.length}/${gates.length}`;
}

export const podColumns: readonly PrintedColumn<Pod>[] = [
  nameColumn,
  column("Ready", (pod) => {
    const { readyContainers, totalContainers } = summarizePod(pod);
    return `${readyContainers}/${totalContainers}`;
  }),
  column("Status", (pod) => summarizePod(pod).reason),
  column("Restarts", restartsCell),
  ageColumn,
  wideColumn("IP", (pod) => textOrNone(pod.status?.podIPs?.[0]?.ip ?? pod.status?.podIP)),
  wideColumn("Node", (pod) => textOrNone(pod.spec?.nodeName)),
  wideColumn("Nominated Node", (pod) => textOrNone(pod.status?.nominatedNodeName)),
  wideColumn("Readiness Gates", readinessGatesCell),
];
