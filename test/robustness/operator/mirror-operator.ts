// An operator as one writes it with @kubernetes/client-node: informers over two sets of config maps, of which it keeps one as a
// mirror of the other. It applies mirrors and leaves it to the garbage collector to remove them.
import { setTimeout as sleep } from "node:timers/promises";
import {
  CoreV1Api,
  type Informer,
  type KubeConfig,
  makeInformer,
  type ObjectCache,
  PatchStrategy,
  setHeaderOptions,
  type V1ConfigMap,
} from "@kubernetes/client-node";
import type { Notice, Witness } from "./witness.ts";

const RESTART_MS = 250;
const NOTICES: readonly Notice[] = ["add", "update", "delete"];

export const SOURCE = { role: "source" };
const MIRROR = { role: "mirror" };

type ConfigMaps = Informer<V1ConfigMap> & ObjectCache<V1ConfigMap>;

export class MirrorOperator {
  readonly #api: CoreV1Api;
  readonly #namespace: string;
  readonly #sources: ConfigMaps;
  readonly #mirrors: ConfigMaps;
  /** Names that are being mirrored, and whether once more afterwards. */
  readonly #working = new Map<string, boolean>();
  #isStopped = false;
  /** How often a watch ended with an error. */
  reconnects = 0;

  constructor(config: KubeConfig, namespace: string, witness: Witness) {
    this.#api = config.makeApiClient(CoreV1Api);
    this.#namespace = namespace;
    this.#sources = this.#informer(config, SOURCE, () => witness.listed());
    this.#mirrors = this.#informer(config, MIRROR, () => {});
    for (const notice of NOTICES) {
      this.#sources.on(notice, (map) => {
        witness.notice(notice, { name: nameOf(map), uid: map.metadata?.uid ?? "", number: numberOf(map) });
        this.#enqueue(nameOf(map));
      });
      this.#mirrors.on(notice, (map) => this.#enqueue(nameOf(map).replace("mirror", "source")));
    }
  }

  async start(): Promise<void> {
    await Promise.all([this.#sources.start(), this.#mirrors.start()]);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all([this.#sources.stop(), this.#mirrors.stop()]);
  }

  /** Numbers by name, as the informer of the sources has them, and as the mirrors are. */
  view(): { readonly sources: ReadonlyMap<string, number>; readonly mirrors: ReadonlyMap<string, number> } {
    const numbers = (maps: readonly V1ConfigMap[]) => new Map(maps.map((map) => [nameOf(map).replace("mirror", "source"), numberOf(map)]));
    return { sources: numbers(this.#sources.list()), mirrors: numbers(this.#mirrors.list()) };
  }

  #informer(config: KubeConfig, labels: Readonly<Record<string, string>>, onList: () => void): ConfigMaps {
    const namespace = this.#namespace;
    const labelSelector = Object.entries(labels)
      .map(([key, value]) => `${key}=${value}`)
      .join();
    const list = () => {
      onList();
      return this.#api.listNamespacedConfigMap({ namespace, labelSelector });
    };
    const informer = makeInformer(config, `/api/v1/namespaces/${namespace}/configmaps`, list, labelSelector);
    informer.on("error", async () => {
      if (this.#isStopped) return;
      this.reconnects++;
      await sleep(RESTART_MS);
      if (!this.#isStopped) await informer.start();
    });
    return informer;
  }

  #enqueue(name: string): void {
    if (this.#isStopped) return;
    const isWorking = this.#working.has(name);
    this.#working.set(name, isWorking);
    if (!isWorking) void this.#work(name);
  }

  async #work(name: string): Promise<void> {
    try {
      await this.#reconcile(name);
    } catch {
      await sleep(RESTART_MS);
      this.#working.set(name, true);
    }
    const isDirty = this.#working.get(name);
    this.#working.delete(name);
    if (isDirty) this.#enqueue(name);
  }

  async #reconcile(name: string): Promise<void> {
    const source = this.#sources.get(name, this.#namespace);
    const mirror = this.#mirrors.get(name.replace("source", "mirror"), this.#namespace);
    const uid = source?.metadata?.uid ?? "";
    if (source === undefined || (mirror?.metadata?.ownerReferences?.[0]?.uid === uid && numberOf(mirror) === numberOf(source))) return;
    const body = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: {
        name: name.replace("source", "mirror"),
        labels: MIRROR,
        ownerReferences: [{ apiVersion: "v1", kind: "ConfigMap", name, uid }],
      },
      data: source.data,
    };
    const apply = { namespace: this.#namespace, name: body.metadata.name, body, fieldManager: "mirror-operator", force: true };
    await this.#api.patchNamespacedConfigMap(apply, setHeaderOptions("Content-Type", PatchStrategy.ServerSideApply));
  }
}

function nameOf(map: V1ConfigMap): string {
  return map.metadata?.name ?? "";
}

function numberOf(map: V1ConfigMap): number {
  return Number(map.data?.["number"]);
}
