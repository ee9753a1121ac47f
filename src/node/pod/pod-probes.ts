// The probes of a pod's running containers, and what they say.
import type { NodeContext } from "../node-context.ts";
import type { ContainerStatus, RuntimePod } from "../runtime/runtime.ts";
import { allContainers, type ContainerSpec, type PodObject } from "./pod-object.ts";
import type { Condemned, ProbeVerdicts } from "./pod-view.ts";
import { type ProbeKind, ProbeWorker } from "./probe-worker.ts";

interface Life {
  isStarted: boolean;
  isReady: boolean;
  readonly workers: Map<ProbeKind, ProbeWorker>;
}

export interface PodProbesOptions {
  readonly context: NodeContext;
  /** A verdict changed. */
  readonly onChange: () => void;
  readonly report: (container: ContainerSpec, message: string) => void;
}

export class PodProbes implements ProbeVerdicts {
  readonly #options: PodProbesOptions;
  /** By container id; running containers only. */
  readonly #lives = new Map<string, Life>();
  /** Containers to be killed, by id. */
  readonly #condemned = new Map<string, Condemned>();

  constructor(options: PodProbesOptions) {
    this.#options = options;
  }

  get condemned(): ReadonlyMap<string, Condemned> {
    return this.#condemned;
  }

  isStarted(containerId: string): boolean {
    return this.#lives.get(containerId)?.isStarted ?? true;
  }

  isReady(containerId: string): boolean {
    return this.#lives.get(containerId)?.isReady ?? true;
  }

  /** Begins probing containers that run, ends it for those that do not; an ending pod is probed for readiness only. */
  sync(pod: PodObject, runtime: RuntimePod, facts: { readonly podIp: string; readonly isEnding: boolean }): void {
    const running = new Map(runtime.containers.filter(({ state }) => state === "RUNNING").map((container) => [container.id, container]));
    for (const [id, life] of this.#lives) {
      if (!running.has(id)) this.#end(id, life);
      else if (facts.isEnding) for (const kind of ["Liveness", "Startup"] as const) this.#stop(life, kind);
    }
    for (const { spec } of allContainers(pod)) {
      for (const container of running.values()) {
        if (container.name === spec.name && !this.#lives.has(container.id)) this.#begin(pod, spec, { container, ...facts });
      }
    }
  }

  stop(): void {
    for (const [id, life] of this.#lives) this.#end(id, life);
  }

  #begin(pod: PodObject, spec: ContainerSpec, facts: { container: ContainerStatus; podIp: string; isEnding: boolean }): void {
    const { container } = facts;
    const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
    // A restarted agent goes on from what it reported last.
    const reported = [...containerStatuses, ...initContainerStatuses].find(({ containerID }) => containerID?.endsWith(`//${container.id}`));
    const life: Life = {
      isStarted: spec.startupProbe === undefined || reported?.started === true,
      isReady: spec.readinessProbe === undefined || reported?.ready === true,
      workers: new Map(),
    };
    this.#lives.set(container.id, life);
    const probes = {
      Startup: life.isStarted ? undefined : spec.startupProbe,
      Liveness: spec.livenessProbe,
      Readiness: spec.readinessProbe,
    };
    for (const kind of ["Startup", "Liveness", "Readiness"] as const) {
      const probe = probes[kind];
      if (probe === undefined || (facts.isEnding && kind !== "Readiness")) continue;
      const worker = new ProbeWorker({
        context: this.#options.context,
        kind,
        probe,
        target: { podIp: facts.podIp, containerId: container.id, ports: spec.ports ?? [] },
        startedAtMs: container.startedAtMs,
        canRun: () => kind === "Startup" || life.isStarted,
        onVerdict: (isSuccess) => this.#take(kind, isSuccess, { life, container, graceSeconds: probe.terminationGracePeriodSeconds }),
        onResult: (result) => this.#options.context.probeCounts.add(pod, spec.name, { kind, result }),
        onFailure: (message) => this.#options.report(spec, message),
      });
      life.workers.set(kind, worker);
    }
  }

  #take(
    kind: ProbeKind,
    isSuccess: boolean,
    { life, container, graceSeconds }: { life: Life; container: ContainerStatus; graceSeconds: number | undefined },
  ): void {
    if (kind === "Readiness") life.isReady = isSuccess;
    else if (!isSuccess) {
      const message = `Container ${container.name} failed ${kind.toLowerCase()} probe, will be restarted`;
      this.#condemned.set(container.id, { message, graceSeconds });
      this.#stop(life, kind);
    } else if (kind === "Startup") {
      life.isStarted = true;
      this.#stop(life, kind);
    }
    this.#options.onChange();
  }

  #stop(life: Life, kind: ProbeKind): void {
    life.workers.get(kind)?.stop();
    life.workers.delete(kind);
  }

  #end(id: string, life: Life): void {
    for (const worker of life.workers.values()) worker.stop();
    this.#lives.delete(id);
    this.#condemned.delete(id);
  }
}
