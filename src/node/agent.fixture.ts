// A node agent over simulated containers, a client in memory and virtual time, for this folder's tests.
import { resources } from "../api/index.ts";
import type { ObjectReference, Pod, PodSpec } from "../api/types/core/v1.ts";
import { SeededRandom, silentLogger, VirtualClock } from "../base/index.ts";
import { FakeClient } from "./fake-client.fixture.ts";
import { MemoryFiles } from "./files.ts";
import { NodeAgent } from "./node-agent.ts";
import type { NodeAgentOptions } from "./node-agent-options.ts";
import { SimulatedProber, SimulatedRuntime } from "./runtime/simulated/index.ts";
import type { VolumeManager } from "./volumes/volume-manager.ts";

/** Every volume is a path that nobody looks at. */
const paperVolumes: VolumeManager = {
  mountPod: async (pod) => new Map((pod.spec?.volumes ?? []).map(({ name }) => [name, `/volumes/${name}`])),
  subPath: async (_pod, volumeName, subPath) => `/volumes/${volumeName}/${subPath}`,
  update: async () => {},
  unmountPod: async () => {},
  listPods: async () => [],
};

export interface SeenEvent {
  readonly about: ObjectReference;
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly atMs: number;
}

/** The world beside the agent outlives it, so that an agent can be started again. */
export class AgentWorld {
  readonly clock = new VirtualClock();
  readonly random = new SeededRandom(1);
  readonly client = new FakeClient(() => this.clock.now());
  runtime = new SimulatedRuntime({ clock: this.clock, random: this.random });
  readonly files = new MemoryFiles();
  readonly events: SeenEvent[] = [];
  #stop = new AbortController();
  #running: Promise<void> | undefined;

  start(more: Partial<NodeAgentOptions> = {}): NodeAgent {
    this.#stop = new AbortController();
    const agent = new NodeAgent({
      client: this.client,
      runtime: this.runtime,
      volumes: paperVolumes,
      prober: new SimulatedProber(this.runtime),
      files: this.files,
      events: { event: (about, type, reason, message) => this.events.push({ about, type, reason, message, atMs: this.clock.now() }) },
      clock: this.clock,
      random: this.random,
      logger: silentLogger,
      nodeName: "node-1",
      nodeIps: ["192.0.2.1"],
      kubeletPort: 10250,
      machine: {
        cpus: 4,
        memoryBytes: 8 * 2 ** 30,
        kernel: "6.1",
        osImage: "Debian",
        bootId: "boot",
        machineId: "machine",
        systemUuid: "system",
        architecture: "amd64",
      },
      clusterDns: ["10.96.0.10"],
      clusterDomain: "cluster.local",
      ...more,
    });
    this.#running = agent.run(this.#stop.signal);
    return agent;
  }

  /** The machine goes down and comes up: nothing runs any more, and no image is forgotten. */
  async reboot(): Promise<void> {
    await this.stop();
    this.runtime = new SimulatedRuntime({ clock: this.clock, random: this.random });
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error("the test is over"));
    await this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async createPod(name: string, spec: Partial<PodSpec>, annotations: Record<string, string> = {}): Promise<void> {
    const pod: Pod = {
      metadata: { name, namespace: "default", annotations },
      spec: { nodeName: "node-1", restartPolicy: "Always", terminationGracePeriodSeconds: 30, containers: [container("main")], ...spec },
      status: { phase: "Pending" },
    };
    await this.client.create(resources.pods, pod);
  }

  pod(name: string) {
    return this.client.peek(resources.pods, name, "default");
  }

  phase(name: string): string | undefined {
    return this.pod(name)?.status?.phase;
  }

  condition(name: string, type: string) {
    return this.pod(name)?.status?.conditions?.find((condition) => condition.type === type);
  }

  reasons(name: string): readonly string[] {
    return this.events.filter(({ about }) => about.name === name).map(({ reason }) => reason);
  }
}

export function container(name: string): PodSpec["containers"][number] {
  return { name, image: "example/app:1", imagePullPolicy: "IfNotPresent" };
}
