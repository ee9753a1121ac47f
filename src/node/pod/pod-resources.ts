// The resources of one pod over time: what its specification wants, what the node grants, what its containers have.
import type { NodeContext } from "../node-context.ts";
import { actualResources, keepResources, type Resources, withPodResources, withResources } from "./allocation.ts";
import { resizedFile } from "./pod-actions.ts";
import type { PodMemory } from "./pod-memory.ts";
import { type PodObject, podUid } from "./pod-object.ts";
import { latestContainer, type PendingResize, type ResizeState } from "./pod-view.ts";

export interface PodResourcesOptions {
  readonly context: Pick<NodeContext, "files" | "rootDir">;
  /** Its pod has the resources that are granted, whatever its specification wants. */
  readonly memory: PodMemory;
  /** Why the node has no room for the resources of this specification, or undefined when it has. */
  readonly judge: (wanted: PodObject) => PendingResize | undefined;
  readonly onGranted: () => void;
}

export class PodResources {
  readonly #options: PodResourcesOptions;
  /** The object as the API has it. */
  #wanted: PodObject;
  #pending: PendingResize | undefined;
  #error: string | undefined;
  /** What an earlier agent granted has been read. */
  #isRestored = false;

  constructor(options: PodResourcesOptions) {
    this.#options = options;
    this.#wanted = options.memory.pod;
  }

  get wanted(): PodObject {
    return this.#wanted;
  }

  get state(): ResizeState {
    return { pending: this.#pending, error: this.#error };
  }

  /** Takes a newer object, without its new resources yet. */
  update(pod: PodObject): void {
    const { memory } = this.#options;
    this.#wanted = pod;
    memory.pod = keepResources(pod, memory.pod);
  }

  /** Reads what an earlier agent granted, from its file and from the containers; only the first call does anything. */
  async restore(): Promise<void> {
    const { context, memory } = this.#options;
    if (this.#isRestored) return;
    this.#isRestored = true;
    if (memory.runtime.containers.length === 0) return;
    const kept = await context.files.read(resizedFile(context, podUid(memory.pod)));
    for (const [id, resources] of JSON.parse(kept ?? "[]") as [string, Resources][]) memory.resized.set(id, resources);
    memory.pod = withResources(memory.pod, (name) => {
      const latest = latestContainer(memory.runtime, name);
      return latest === undefined ? undefined : actualResources(latest, memory.resized);
    });
    // Of the pod as a whole its status tells.
    memory.pod = withPodResources(memory.pod, memory.pod.status?.resources);
  }

  /** Grants the resources of the specification when the node has room. */
  grant(): void {
    const { judge, memory, onGranted } = this.#options;
    this.#pending = undefined;
    if (memory.pod === this.#wanted) return;
    this.#pending = judge(this.#wanted);
    if (this.#pending !== undefined) return;
    memory.pod = this.#wanted;
    this.#error = undefined;
    onGranted();
  }

  /** How the last attempt to resize a container ended. */
  failed(error: unknown): void {
    this.#error = error === undefined ? undefined : error instanceof Error ? error.message : String(error);
  }

  /** What containers have, by id, where it is known. */
  actual(): ReadonlyMap<string, Resources> {
    const { runtime, resized } = this.#options.memory;
    const entries = runtime.containers.map((container) => [container.id, actualResources(container, resized)] as const);
    return new Map(entries.flatMap(([id, resources]) => (resources === undefined ? [] : [[id, resources] as const])));
  }
}
