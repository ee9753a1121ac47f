// Pods of the conformance tests: made from what is special about them, waited for, asked what they see.
import type { Container, ContainerStatus, Pod, PodSpec } from "../../src/api/types/core/v1.ts";
import { type Cluster, eventually, RESERVED_TAINT } from "./cluster.fixture.ts";

/** Sleeps until it is asked to end. */
export const SLEEP = ["sh", "-c", "trap 'exit 0' TERM; while true; do sleep 0.1; done"];

/** All on one node, at which the tests look, with its reserved taint tolerated. */
export class Pods {
  readonly #cluster: Cluster;
  readonly #place: Partial<PodSpec>;

  constructor(cluster: Cluster, node = "node-1") {
    this.#cluster = cluster;
    this.#place = { nodeSelector: { "kubernetes.io/hostname": node }, tolerations: [{ key: RESERVED_TAINT, operator: "Exists" }] };
  }

  /** A pod of several containers; those without a command sleep. */
  async create(name: string, containers: readonly Partial<Container>[], spec: Partial<PodSpec> = {}, annotations = {}): Promise<void> {
    const full = containers.map((container, index) => ({ name: `c${index}`, image: "busybox", command: SLEEP, ...container }));
    await this.#cluster.apply({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, labels: { name }, annotations },
      spec: { terminationGracePeriodSeconds: 1, ...this.#place, containers: full, ...spec },
    });
  }

  /** A pod whose containers run a script each and end. */
  scripts(name: string, scripts: Readonly<Record<string, string>>, spec: Partial<PodSpec> = {}, container: Partial<Container> = {}) {
    const containers = Object.entries(scripts).map(([key, script]) => ({ name: key, command: ["sh", "-c", script], ...container }));
    return this.create(name, containers, { restartPolicy: "Never", ...spec });
  }

  get(name: string): Promise<Pod> {
    return this.#cluster.get<Pod>("pod", name);
  }

  async status(name: string, container: string): Promise<ContainerStatus | undefined> {
    const { initContainerStatuses = [], containerStatuses = [], ephemeralContainerStatuses = [] } = (await this.get(name)).status ?? {};
    return [...initContainerStatuses, ...containerStatuses, ...ephemeralContainerStatuses].find((status) => status.name === container);
  }

  untilReady(name: string): Promise<unknown> {
    return eventually(`pod ${name} is ready`, async () => this.#isReady(await this.get(name)));
  }

  untilPhase(name: string, phase: string): Promise<unknown> {
    return eventually(`pod ${name} is ${phase}`, async () => (await this.get(name)).status?.phase === phase);
  }

  /** What a container of an ended pod wrote. */
  async output(name: string, container: string): Promise<string> {
    await eventually(
      `${container} of ${name} has ended`,
      async () => (await this.status(name, container))?.state?.terminated !== undefined,
    );
    return this.#cluster.kubectl("logs", name, "-c", container);
  }

  exec(name: string, container: string, ...command: string[]): Promise<string> {
    return this.#cluster.kubectl("exec", name, "-c", container, "--", ...command);
  }

  #isReady({ status }: Pod): boolean {
    return status?.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True") === true;
  }
}
