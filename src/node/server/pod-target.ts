// From the names in a request to what the runtime knows: the pod, its sandbox, one of its containers.
import type { Pod } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import type { ContainerStatus, Runtime } from "../runtime/runtime.ts";
import { HttpError } from "./http-error.ts";

/** The pods of this node. */
export interface PodsView {
  get(namespace: string, name: string): DeepReadonly<Pod> | undefined;
  list(): readonly DeepReadonly<Pod>[];
  /** Resolves when the pods are known that the node had before its agent began. */
  known(): Promise<void>;
}

export class PodTargets {
  readonly #pods: PodsView;
  readonly #runtime: Pick<Runtime, "listPods">;

  constructor(pods: PodsView, runtime: Pick<Runtime, "listPods">) {
    this.#pods = pods;
    this.#runtime = runtime;
  }

  /** An agent that has just begun is given the time to learn its pods. */
  async #pod(namespace: string, name: string): Promise<DeepReadonly<Pod>> {
    if (this.#pods.get(namespace, name) === undefined) await this.#pods.known();
    const pod = this.#pods.get(namespace, name);
    if (pod === undefined) throw new HttpError(404, `pod does not exist`);
    return pod;
  }

  /** The sandbox that runs now. */
  async sandboxId(namespace: string, name: string): Promise<string> {
    const pod = await this.#pod(namespace, name);
    const [running] = await this.#runtime.listPods(pod.metadata.uid);
    const sandbox = running?.sandboxes.find(({ state }) => state === "READY");
    if (sandbox === undefined) throw new HttpError(500, `sandbox not found for pod "${name}"`);
    return sandbox.id;
  }

  async runningContainer(namespace: string, name: string, container: string): Promise<ContainerStatus> {
    const [latest] = await this.#containers(namespace, name, container);
    if (latest?.state !== "RUNNING") throw new HttpError(404, `container not found ("${container}")`);
    return latest;
  }

  /** The container whose log is meant: the newest, or the one before it. */
  async loggedContainer(
    namespace: string,
    name: string,
    container: string,
    options: { readonly previous: boolean },
  ): Promise<ContainerStatus> {
    const pod = await this.#pod(namespace, name);
    const { initContainers = [], containers = [], ephemeralContainers = [] } = pod.spec ?? {};
    if (![...initContainers, ...containers, ...ephemeralContainers].some((spec) => spec.name === container)) {
      throw new HttpError(404, `container "${container}" not found in pod "${name}"`);
    }
    const all = (await this.#containers(namespace, name, container)).filter(({ state }) => state !== "CREATED");
    const found = options.previous ? all[1] : all[0];
    if (found !== undefined) return found;
    if (options.previous) throw new HttpError(400, `previous terminated container "${container}" in pod "${name}" not found`);
    throw new HttpError(400, `container "${container}" in pod "${name}" is waiting to start: ${waitingReason(pod, container)}`);
  }

  /** Newest first. */
  async #containers(namespace: string, name: string, container: string): Promise<readonly ContainerStatus[]> {
    const { metadata } = await this.#pod(namespace, name);
    const [running] = await this.#runtime.listPods(metadata.uid);
    return (running?.containers ?? []).filter((status) => status.name === container);
  }
}

function waitingReason(pod: DeepReadonly<Pod>, container: string): string {
  const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
  const status = [...containerStatuses, ...initContainerStatuses].find(({ name }) => name === container);
  return status?.state?.waiting?.reason ?? "ContainerCreating";
}
