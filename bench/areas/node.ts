// A node against the floor that its runtime sets: the same pod made by bare CRI calls, and what an agent costs that has
// fifty pods and nothing to do.
import { setTimeout as sleep } from "node:timers/promises";
import { silentLogger } from "../../src/base/index.ts";
import type { NodeLayout } from "../../src/cmd/config/layout.ts";
import { SystemClock } from "../../src/cmd/system/clock.ts";
import { readPidFile } from "../../src/cmd/system/processes.ts";
import { type ContainerConfig, CriRuntime, type SandboxConfig } from "../../src/node/index.ts";
import { makeNamespace, podsPath, removeNamespace } from "../api.ts";
import type { Bench } from "../bench.ts";
import { Connection } from "../connection.ts";
import { median } from "../measure.ts";
import { digits, printTable } from "../print.ts";
import { usageOf } from "../usage.ts";
import { watchLines } from "../watching.ts";
import { PodStarts } from "./pod-start.ts";

const FLOOR_PODS = 10;
const MANY_PODS = 50;

export async function nodeArea(bench: Bench, layout: NodeLayout): Promise<void> {
  const { floorMs, floorOfMany } = await floor(bench.image, layout.containerdSocket);
  const control = await Connection.open(bench.target);
  const watcher = await Connection.open(bench.target);
  const namespace = `bench-${bench.run}-node`;
  try {
    await makeNamespace(control, namespace);
    const load = new PodStarts(bench, control, namespace);
    await watchLines(watcher, podsPath(namespace), (line) => load.see(line));
    await load.start("warm-up");
    const serialMs = median((await load.serial("serial")).latenciesMs) ?? 0;
    const agentPid = readPidFile(layout.agentPid)?.pid ?? 0;
    const before = usageOf(agentPid);
    const many = await load.together("many", { count: MANY_PODS, isKept: true });
    const spent = (usageOf(agentPid)?.cpuSeconds ?? 0) - (before?.cpuSeconds ?? 0);
    const idle = await idleAgent(agentPid, bench.seconds);
    printTable("node", [
      ["", "value"],
      ["CRI calls for one pod, p50 ms", digits(floorMs)],
      ["start of one pod, p50 ms", digits(serialMs)],
      ["ratio", digits(serialMs / floorMs)],
      [`CRI calls for ${MANY_PODS} pods at once, seconds`, digits(floorOfMany)],
      [`${MANY_PODS} pods at once, seconds`, digits(many.seconds)],
      [`${MANY_PODS} pods at once, CPU seconds of the agent`, digits(spent)],
      [`agent with ${MANY_PODS} pods, RSS MB`, digits(idle.rssBytes / 2 ** 20)],
      [`agent with ${MANY_PODS} pods, CPU %`, digits(idle.percent)],
    ]);
  } finally {
    await removeNamespace(control, namespace);
    watcher.close();
    control.close();
  }
}

/** The same by the calls alone: milliseconds from asking for a sandbox to a started container, and seconds for many at once. */
async function floor(image: string, socketPath: string): Promise<{ readonly floorMs: number; readonly floorOfMany: number }> {
  const runtime = new CriRuntime({ socketPath, clock: new SystemClock(), logger: silentLogger });
  const start = async (name: string) => {
    const sandbox = sandboxOf(name);
    const sandboxId = await runtime.runSandbox(sandbox);
    const id = await runtime.createContainer(sandboxId, containerOf(image, sandbox), sandbox);
    await runtime.startContainer(id);
    return async () => {
      await runtime.stopContainer(id, 0);
      await runtime.stopSandbox(sandboxId);
      await runtime.removeSandbox(sandboxId);
    };
  };
  try {
    const latenciesMs: number[] = [];
    for (let index = 0; index < FLOOR_PODS; index++) {
      const startedAt = performance.now();
      const remove = await start(`floor-${index}`);
      latenciesMs.push(performance.now() - startedAt);
      await remove();
    }
    const startedAt = performance.now();
    const removals = await Promise.all(Array.from({ length: MANY_PODS }, (_, index) => start(`many-${index}`)));
    const floorOfMany = (performance.now() - startedAt) / 1000;
    for (const remove of removals) await remove();
    return { floorMs: median(latenciesMs) ?? 0, floorOfMany };
  } finally {
    runtime.close();
  }
}

/** Without the labels of a pod: the agent ends pods of which nobody told it. */
function sandboxOf(name: string): SandboxConfig {
  return {
    ...{ name, namespace: "bench", uid: `uid-${name}`, attempt: 0, hostname: name, logDirectory: "/tmp", labels: {} },
    ...{ portMappings: [], annotations: {}, cgroupParent: "/k8ts/bench", sysctls: {}, runtimeHandler: "" },
    namespaces: { network: "POD", pid: "CONTAINER", ipc: "POD" },
    security: { supplementalGroups: [], privileged: false },
  };
}

function containerOf(image: string, sandbox: SandboxConfig): ContainerConfig {
  return {
    ...{ name: "main", attempt: 0, image, command: ["sleep", "3600"], args: [], workingDir: "", env: [], mounts: [] },
    ...{ labels: {}, annotations: {}, logPath: `${sandbox.name}.log` },
    ...{ stdin: false, stdinOnce: false, tty: false, resources: {} },
    security: {
      ...{ supplementalGroups: [], privileged: false, readonlyRootFilesystem: false, noNewPrivileges: false },
      ...{ addCapabilities: [], dropCapabilities: [], namespaces: sandbox.namespaces },
    },
  };
}

async function idleAgent(pid: number, seconds: number): Promise<{ readonly rssBytes: number; readonly percent: number }> {
  // What starting the pods left behind is collected first.
  await sleep(5_000);
  const before = usageOf(pid);
  const startedAt = performance.now();
  await sleep(seconds * 1000);
  const after = usageOf(pid);
  if (before === undefined || after === undefined) throw new Error(`the agent, process ${pid}, is not there`);
  const elapsed = (performance.now() - startedAt) / 1000;
  return { rssBytes: after.rssBytes, percent: ((after.cpuSeconds - before.cpuSeconds) / elapsed) * 100 };
}
