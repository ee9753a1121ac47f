// An API server with the memory store, virtual time and chosen controllers, all in this process.
import { builtInCatalog, type ResourceRef, resources } from "../../../src/api/index.ts";
import type { Event, Node, Pod } from "../../../src/api/types/core/v1.ts";
import { ApiServerCore, allowAll } from "../../../src/apiserver/index.ts";
import { formatTime, SeededRandom, silentLogger, VirtualClock } from "../../../src/base/index.ts";
import { EventRecorder, LocalClient, SharedInformers } from "../../../src/client/index.ts";
import type { Controller, ControllerContext } from "../../../src/controllers/index.ts";
import type { KubeObject, ObjectMeta } from "../../../src/machinery/index.ts";
import { MemoryStore } from "../../../src/storage/index.ts";

export class ControllerCluster implements AsyncDisposable {
  readonly clock = new VirtualClock();
  readonly catalog = builtInCatalog();
  readonly client: LocalClient;
  readonly informers: SharedInformers;
  readonly #core: ApiServerCore;
  readonly store = new MemoryStore({ clock: this.clock });
  readonly #random = new SeededRandom(11);
  readonly #abort = new AbortController();
  readonly #recorder: EventRecorder;

  constructor() {
    const { clock, catalog } = this;
    const common = { clock, random: this.#random, logger: silentLogger };
    this.#core = new ApiServerCore({ ...common, store: this.store, catalog, authorizer: allowAll, deepFreezes: true });
    const user = { name: "admin", groups: ["system:masters"] };
    this.client = new LocalClient({ handler: this.#core, catalog, user, userAgent: "test/1" });
    this.informers = new SharedInformers({ ...common, client: this.client });
    this.#recorder = new EventRecorder({ ...common, client: this.client, component: "test" });
  }

  /** Starts the server, then the controllers; answers when their informers have synced. */
  static async start(...makers: readonly ((context: ControllerContext) => Controller)[]): Promise<ControllerCluster> {
    const cluster = new ControllerCluster();
    await cluster.begin(...makers);
    return cluster;
  }

  /** As `start`, for makers that need something of the cluster. */
  async begin(...makers: readonly ((context: ControllerContext) => Controller)[]): Promise<void> {
    await this.#core.start(this.#abort.signal);
    this.run(...makers);
    await this.clock.advance(1);
  }

  run(...makers: readonly ((context: ControllerContext) => Controller)[]): void {
    const { client, informers, clock } = this;
    const context = { client, informers, clock, recorder: this.#recorder, random: this.#random, logger: silentLogger };
    const controllers = makers.map((make) => make(context));
    informers.start(this.#abort.signal);
    for (const controller of controllers) void controller.run(this.#abort.signal);
  }

  async createNamespace(name: string): Promise<void> {
    await this.create(resources.namespaces, { metadata: { name } });
  }

  async create<T extends KubeObject>(resource: ResourceRef<T>, object: Omit<T, "apiVersion" | "kind">, namespace?: string) {
    const apiVersion = resource.group === "" ? resource.version : `${resource.group}/${resource.version}`;
    const options = { namespace: resource.namespaced ? (namespace ?? object.metadata.namespace ?? "default") : "" };
    return this.client.create(resource, { apiVersion, kind: resource.kind, ...object } as never, options);
  }

  /** A pod that runs on `nodeName` and is ready, unless said otherwise. */
  async createPod(name: string, options: PodOptions = {}) {
    const { labels, nodeName, tolerations, ownerReferences, finalizers, resourceClaims, namespace = "default" } = options;
    // Admission waits for the account that pods run as.
    await this.create(resources.serviceaccounts, { metadata: { name: "default", namespace } }).catch(() => {});
    const metadata = { name, namespace, labels, ownerReferences, finalizers };
    const spec = {
      containers: [{ name: "main", image: "image", ports: [{ name: "web", containerPort: 8080 }] }],
      nodeName,
      tolerations,
      resourceClaims,
    };
    const pod = await this.create(resources.pods, { metadata, spec } as Pod);
    if (options.ip === undefined && options.phase === undefined) return pod;
    const { ip, phase = "Running", isReady = true } = options;
    const conditions = [{ type: "Ready", status: isReady ? "True" : "False" }];
    const addresses = ip === undefined ? {} : { podIP: ip, podIPs: [{ ip }] };
    const status = { ...pod.status, ...addresses, phase, conditions };
    return this.client.update(resources.pods, { ...pod, status }, { namespace, subresource: "status" });
  }

  /** A node whose kubelet has just said that it is ready. */
  async createNode(name: string, { labels, spec }: Pick<ObjectMeta, "labels"> & Pick<Node, "spec"> = {}) {
    const node = await this.create(resources.nodes, { metadata: { name, labels }, spec } as Node);
    const now = formatTime(this.clock.now());
    const condition = { type: "Ready", status: "True", reason: "KubeletReady", lastHeartbeatTime: now, lastTransitionTime: now };
    return this.client.update(resources.nodes, { ...node, status: { conditions: [condition] } }, { subresource: "status" });
  }

  async events(reason: string): Promise<readonly string[]> {
    await this.#recorder.flush();
    const { items } = await this.client.list<Event>(resources.events);
    return items.filter((event) => event.reason === reason).map((event) => event.message ?? "");
  }

  async names(resource: ResourceRef<KubeObject>, namespace?: string): Promise<readonly string[]> {
    const { items } = await this.client.list(resource, { namespace });
    return items.map((object) => object.metadata.name ?? "");
  }

  /** The store's revision: two equal ones mean that nothing was written between. */
  async revision(): Promise<string> {
    return (await this.client.list(resources.configmaps)).resourceVersion;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#recorder.close();
    await this.store.close();
  }
}

export interface PodOptions extends Pick<ObjectMeta, "labels" | "namespace" | "ownerReferences" | "finalizers"> {
  readonly nodeName?: string;
  readonly ip?: string;
  readonly phase?: string;
  readonly isReady?: boolean;
  readonly tolerations?: NonNullable<Pod["spec"]>["tolerations"];
  readonly resourceClaims?: NonNullable<Pod["spec"]>["resourceClaims"];
}
