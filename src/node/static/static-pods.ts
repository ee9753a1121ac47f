// Runs the pods whose manifests stand in a directory of the node, and keeps a mirror of each in the API.
import { resources } from "../../api/index.ts";
import type { Node } from "../../api/types/core/v1.ts";
import type { Clock, Logger } from "../../base/index.ts";
import type { Client } from "../../client/index.ts";
import { type DeepReadonly, isAlreadyExists, isNotFound } from "../../machinery/index.ts";
import type { NodeFiles } from "../files.ts";
import type { FileWatcher } from "../logs/file-watcher.ts";
import type { PodObject } from "../pod/pod-object.ts";
import type { PodRegistry } from "../pod-registry.ts";
import { isMirrorOf, mirrorOf, planMirror, staticPod } from "./static-pod.ts";

export interface StaticPodsOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly files: Pick<NodeFiles, "list" | "read">;
  readonly nodeName: string;
  /** Undefined: the node has no static pods, and mirrors of earlier ones go. */
  readonly directory: string | undefined;
  readonly watcher: FileWatcher;
  readonly pods: Pick<PodRegistry, "seeStatic" | "lose" | "worker">;
  readonly node: () => DeepReadonly<Node> | undefined;
}

const RETRY_MS = 5_000;
/** Who deleted a mirror pod gets the time to see that it is gone. */
const RECREATE_MS = 1_000;

export class StaticPods {
  readonly #options: StaticPodsOptions;
  /** What the manifests say, by namespace/name. */
  #wanted: ReadonlyMap<string, PodObject> = new Map();
  /** Mirror pods of the API, by namespace/name. */
  readonly #mirrors = new Map<string, PodObject>();
  /** Mirrors that went a moment ago. */
  readonly #gone = new Set<string>();
  #hasSynced = false;
  /** Which manifest was last complained about, so that it is said once. */
  readonly #complaints = new Map<string, string>();
  /** Work is done one after the other. */
  #tail: Promise<void> = Promise.resolve();

  constructor(options: StaticPodsOptions) {
    this.#options = options;
  }

  /** Reads the manifests; to be called before orphans are looked for. */
  async load(): Promise<void> {
    const wanted = new Map<string, PodObject>();
    for (const pod of await this.#read()) wanted.set(keyOf(pod), pod);
    for (const [key, old] of this.#wanted) if (wanted.get(key)?.metadata.uid !== old.metadata.uid) this.#options.pods.lose(old);
    this.#wanted = wanted;
    this.#start();
    this.#reconcile();
  }

  /** Follows the directory until the signal aborts. */
  follow(signal: AbortSignal): void {
    const { directory, watcher, logger } = this.#options;
    if (directory === undefined) return;
    const reload = () => void this.load().catch((error: unknown) => logger.warn("cannot read static pods", { directory, error }));
    const stop = watcher.watch(directory, reload);
    signal.addEventListener("abort", stop, { once: true });
  }

  /** All mirrors of the API are known: those of no manifest can go. */
  synced(): void {
    this.#hasSynced = true;
    this.#reconcile();
  }

  seeMirror(mirror: PodObject): void {
    const key = keyOf(mirror);
    this.#mirrors.set(key, mirror);
    const pod = this.#wanted.get(key);
    if (isMirrorOf(mirror, pod)) this.#options.pods.worker(pod?.metadata.uid ?? "")?.takeMirror(mirror);
    this.#reconcile();
  }

  loseMirror(mirror: PodObject): void {
    const key = keyOf(mirror);
    if (this.#mirrors.get(key)?.metadata.uid === mirror.metadata.uid) this.#mirrors.delete(key);
    this.#gone.add(key);
    this.#options.clock.setTimeout(() => {
      this.#gone.delete(key);
      this.#reconcile();
    }, RECREATE_MS);
  }

  /** A worker is gone: one that waited for its name can start. */
  released(): void {
    this.#start();
    this.#reconcile();
  }

  #start(): void {
    for (const [key, pod] of this.#wanted) {
      const mirror = () => {
        const found = this.#mirrors.get(key);
        return found !== undefined && isMirrorOf(found, pod) ? found : undefined;
      };
      this.#options.pods.seeStatic(pod, mirror);
    }
  }

  async #read(): Promise<PodObject[]> {
    const { directory, files, nodeName, logger } = this.#options;
    if (directory === undefined) return [];
    const names = (await files.list(directory)).filter((name) => !name.startsWith(".")).toSorted();
    const pods: PodObject[] = [];
    for (const name of names) {
      const path = `${directory}/${name}`;
      try {
        pods.push(staticPod((await files.read(path)) ?? "", path, nodeName));
        this.#complaints.delete(path);
      } catch (error) {
        const text = String(error);
        if (this.#complaints.get(path) !== text) logger.error("cannot use a static pod's manifest", { path, error });
        this.#complaints.set(path, text);
      }
    }
    return pods;
  }

  #reconcile(): void {
    if (!this.#hasSynced) return;
    this.#tail = this.#tail.then(async () => {
      for (const key of new Set([...this.#wanted.keys(), ...this.#mirrors.keys()])) await this.#reconcileMirror(key);
    });
  }

  async #reconcileMirror(key: string): Promise<void> {
    const { client, clock, logger, node, pods } = this.#options;
    const pod = this.#wanted.get(key);
    const mirror = this.#mirrors.get(key);
    const { name = "", namespace = "" } = (pod ?? mirror)?.metadata ?? {};
    if (mirror === undefined && this.#gone.has(key)) return;
    const plan = planMirror(pod, mirror);
    try {
      if (plan === "create" && pod !== undefined && pods.worker(pod.metadata.uid ?? "") !== undefined) {
        this.seeMirror(await client.create(resources.pods, mirrorOf(pod, node()), { namespace }));
      } else if (plan === "delete" && mirror !== undefined) {
        const options = { gracePeriodSeconds: 0, preconditions: { uid: mirror.metadata.uid } };
        await client.delete(resources.pods, name, { namespace, options });
      }
    } catch (error) {
      if (isNotFound(error) || isAlreadyExists(error)) return;
      logger.warn("cannot keep a mirror pod", { namespace, name, error });
      clock.setTimeout(() => this.#reconcile(), RETRY_MS);
    }
  }
}

function keyOf({ metadata }: PodObject): string {
  return `${metadata.namespace ?? ""}/${metadata.name ?? ""}`;
}
