// Reads pods from the runtime: two lists, then details of only what may have changed since the last look.
import { type ContainerStatus, LABELS, RuntimeError, type RuntimePod, type SandboxStatus } from "../runtime.ts";
import {
  containerStatus,
  sandboxStatus,
  type WireContainer,
  type WireContainerStatus,
  type WireSandbox,
  type WireSandboxStatus,
} from "./wire.ts";

/** Calls a method of the RuntimeService by name. */
export type RuntimeCall = <Response>(method: string, request: object, signal?: AbortSignal) => Promise<Response>;

export class PodLister {
  readonly #call: RuntimeCall;
  /** What a container's status was when it was in this state: nothing but the state changes it. */
  readonly #containers = new Map<string, ContainerStatus>();
  readonly #sandboxes = new Map<string, SandboxStatus>();

  constructor(call: RuntimeCall) {
    this.#call = call;
  }

  async list(podUid?: string, signal?: AbortSignal): Promise<readonly RuntimePod[]> {
    const filter = podUid === undefined ? {} : { labelSelector: { [LABELS.podUid]: podUid } };
    const [sandboxes, containers] = await Promise.all([
      this.#call<{ items: WireSandbox[] }>("ListPodSandbox", { filter }, signal),
      this.#call<{ containers: WireContainer[] }>("ListContainers", { filter }, signal),
    ]);
    if (podUid === undefined) this.#forgetAllBut(sandboxes.items, containers.containers);
    const [sandboxStatuses, containerStatuses] = await Promise.all([
      Promise.all(sandboxes.items.map((sandbox) => this.#sandbox(sandbox, signal))),
      Promise.all(containers.containers.map((container) => this.#container(container, signal))),
    ]);
    return assemble(sandboxStatuses.filter(isPresent), containerStatuses.filter(isPresent));
  }

  /** The status of one container needs its sandbox's id, which only the list tells. */
  async container(id: string, signal?: AbortSignal): Promise<ContainerStatus> {
    const { containers } = await this.#call<{ containers: WireContainer[] }>("ListContainers", { filter: { id } }, signal);
    const [found] = containers;
    const status = found === undefined ? undefined : await this.#container(found, signal);
    if (status === undefined) throw new RuntimeError("NOT_FOUND", `rpc error: code = NotFound desc = container "${id}" not found`);
    return status;
  }

  /** Asks again for this container at the next look. */
  forget(id: string): void {
    this.#containers.delete(id);
    this.#sandboxes.delete(id);
  }

  async #sandbox(listed: WireSandbox, signal: AbortSignal | undefined): Promise<SandboxStatus | undefined> {
    const known = this.#sandboxes.get(listed.id);
    if (known !== undefined && known.state === (listed.state === "SANDBOX_READY" ? "READY" : "NOTREADY")) return known;
    const answer = await unlessGone(this.#call<{ status: WireSandboxStatus }>("PodSandboxStatus", { podSandboxId: listed.id }, signal));
    if (answer === undefined) return undefined;
    const status = sandboxStatus(answer.status);
    this.#sandboxes.set(status.id, status);
    return status;
  }

  async #container(listed: WireContainer, signal: AbortSignal | undefined): Promise<ContainerStatus | undefined> {
    const known = this.#containers.get(listed.id);
    if (known !== undefined && listed.state === `CONTAINER_${known.state}`) return known;
    const answer = await unlessGone(this.#call<{ status: WireContainerStatus }>("ContainerStatus", { containerId: listed.id }, signal));
    if (answer === undefined) return undefined;
    const status = containerStatus(answer.status, listed.podSandboxId);
    this.#containers.set(status.id, status);
    return status;
  }

  #forgetAllBut(sandboxes: readonly { readonly id: string }[], containers: readonly { readonly id: string }[]): void {
    const present = new Set([...sandboxes, ...containers].map(({ id }) => id));
    for (const known of [this.#sandboxes, this.#containers]) {
      for (const id of known.keys()) if (!present.has(id)) known.delete(id);
    }
  }
}

/** Something removed between the list and the look is no error. */
async function unlessGone<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof RuntimeError && error.code === "NOT_FOUND") return undefined;
    throw error;
  }
}

function isPresent<T>(value: T | undefined): value is T {
  return value !== undefined;
}

function assemble(sandboxes: readonly SandboxStatus[], containers: readonly ContainerStatus[]): readonly RuntimePod[] {
  const pods = new Map<
    string,
    { uid: string; name: string; namespace: string; sandboxes: SandboxStatus[]; containers: ContainerStatus[] }
  >();
  const podOf = (labels: Readonly<Record<string, string>>) => {
    const uid = labels[LABELS.podUid] ?? "";
    const known = pods.get(uid);
    if (known !== undefined) return known;
    const pod = { uid, name: labels[LABELS.podName] ?? "", namespace: labels[LABELS.podNamespace] ?? "", sandboxes: [], containers: [] };
    pods.set(uid, pod);
    return pod;
  };
  for (const status of sandboxes) if (LABELS.podUid in status.labels) podOf(status.labels).sandboxes.push(status);
  for (const status of containers) if (LABELS.podUid in status.labels) podOf(status.labels).containers.push(status);
  for (const pod of pods.values()) {
    pod.sandboxes.sort((a, b) => b.attempt - a.attempt || b.createdAtMs - a.createdAtMs);
    pod.containers.sort((a, b) => b.attempt - a.attempt || b.createdAtMs - a.createdAtMs);
  }
  return [...pods.values()];
}
