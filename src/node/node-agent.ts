// The node agent, what kubelet does: registers the node, and keeps the pods that are bound to it.
import { resources } from "../api/index.ts";
import type { Node } from "../api/types/core/v1.ts";
import { EventRecorder, type InformerSource, SharedInformers } from "../client/index.ts";
import type { DeepReadonly } from "../machinery/index.ts";
import type { AdmissionNode } from "./admission.ts";
import { noCgroups } from "./cgroups/cgroup-manager.ts";
import type { Pressure } from "./eviction/pressure.ts";
import { Housekeeping } from "./housekeeping.ts";
import { ImagePuller } from "./images/image-puller.ts";
import { DEFAULT_VERIFICATION, PullRecords } from "./images/pull-records.ts";
import { hostFileWatcher } from "./logs/file-watcher.ts";
import type { NodeAgentOptions } from "./node-agent-options.ts";
import type { EventSink, NodeContext } from "./node-context.ts";
import { ObjectCache } from "./object-cache.ts";
import { podReference } from "./pod/pod-events.ts";
import type { PodObject } from "./pod/pod-object.ts";
import { PodRegistry } from "./pod-registry.ts";
import { ProbeCounts } from "./probes/probe-counts.ts";
import { type NodeFacts, nodeAllocatable, nodeLabels } from "./registration/node-facts.ts";
import { NodeLease } from "./registration/node-lease.ts";
import { NodeRegistrar } from "./registration/node-registrar.ts";
import { RuntimeFollower } from "./runtime-follower.ts";
import { NodeShutdown } from "./shutdown/node-shutdown.ts";
import { isMirrorPod } from "./static/static-pod.ts";
import { StaticPods } from "./static/static-pods.ts";
import { ContentFollower } from "./volumes/content-follower.ts";
import type { ContentHost } from "./volumes/content-source.ts";

const NO_PRESSURES: ReadonlySet<Pressure> = new Set();
/** A safety net: everything else comes by event. */
const COMPARE_MS = 60_000;
/** How often the content of volumes is looked at for what comes by no event: tokens that must be replaced. */
const REFRESH_VOLUMES_MS = 60_000;

export class NodeAgent {
  readonly #options: NodeAgentOptions;
  readonly #facts: NodeFacts;
  readonly #informers: InformerSource;
  readonly #recorder: EventRecorder | undefined;
  readonly #context: NodeContext;
  readonly #registrar: NodeRegistrar;
  readonly #stop = new AbortController();
  #isSyncing = false;
  readonly #pods: PodRegistry;
  readonly #statics: StaticPods;
  readonly #housekeeping: Housekeeping | undefined;
  readonly #shutdown: NodeShutdown;

  constructor(options: NodeAgentOptions) {
    this.#options = options;
    const { client, clock, random, logger, nodeName, nodeIps, runtime } = options;
    const { kubeletPort, machine, labels = {}, annotations, taints = [], maxPods = 110, reserved = {} } = options;
    this.#facts = { nodeName, nodeIps, kubeletPort, machine, labels, annotations, taints, maxPods, reserved };
    this.#informers = options.informers ?? new SharedInformers({ client, clock, random, logger });
    if (options.events === undefined) {
      this.#recorder = new EventRecorder({ client, clock, random, logger, component: "kubelet", host: nodeName });
    }
    this.#context = this.#makeContext(options.events ?? (this.#recorder as EventRecorder));
    const { events } = this.#context;
    const { podCidrs = [] } = options;
    const pressures = () => this.#housekeeping?.pressures ?? NO_PRESSURES;
    const isShuttingDown = () => this.#shutdown.hasBegun;
    const reported = { facts: this.#facts, podCidrs, pressures, isShuttingDown };
    this.#registrar = new NodeRegistrar({ client, runtime, clock, logger, events, ...reported });
    this.#pods = new PodRegistry({
      context: this.#context,
      node: () => this.#admissionNode(),
      onReleased: () => this.#statics.released(),
      signal: this.#stop.signal,
    });
    const { shutdownPeriods: periods = [] } = options;
    this.#shutdown = new NodeShutdown({ periods, pods: this.#pods, clock, logger, onBegin: () => this.wake() });
    if (options.housekeeping !== undefined) {
      const parts = { config: options.housekeeping, context: this.#context, pods: this.#pods };
      this.#housekeeping = new Housekeeping({ ...parts, onChange: () => this.wake() });
    }
    const { manifestDirectory: directory, watcher = hostFileWatcher } = options;
    const node = () => this.#registrar.node;
    this.#statics = new StaticPods({ client, clock, logger, files: options.files, nodeName, directory, watcher, pods: this.#pods, node });
  }

  /** The pods of this node as the agent knows them; the kubelet server answers from them. */
  get pods(): PodRegistry {
    return this.#pods;
  }

  /** Whether the agent looks after its pods. */
  get isSyncing(): boolean {
    return this.#isSyncing && !this.#stop.signal.aborted;
  }

  /** The node's conditions may have changed, as when its network has become ready. */
  wake(): void {
    this.#registrar.wake();
  }

  /** The machine is about to be shut down: ends the pods in the order of their priority, within the time that is configured. */
  async shutDown(signal: AbortSignal): Promise<void> {
    await this.#shutdown.run(signal);
  }

  /** Runs until the signal aborts; running pods go on without the agent. */
  async run(signal: AbortSignal): Promise<void> {
    const stop = () => this.#stop.abort(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    const own = this.#stop.signal;
    const lease = new NodeLease({ ...this.#context, node: () => this.#registrar.node });
    await this.#options.cgroups?.setUp();
    const follower = new RuntimeFollower(this.#context, this.#pods);
    await follower.compareUntilDone(own);
    const registering = this.#registrar.run(own).catch((error: unknown) => this.#context.logger.error("registration ended", { error }));
    await this.#statics.load().catch((error: unknown) => this.#context.logger.error("cannot read static pods", { error }));
    this.#statics.follow(own);
    this.#follow();
    this.#startContentSources(own);
    this.#informers.start(own);
    this.#isSyncing = true;
    await Promise.all([
      registering,
      lease.run(own),
      this.#housekeeping?.run(own),
      follower.run(own),
      this.#adoptWhenSynced(own),
      this.#every(COMPARE_MS, own, () => this.#pods.compare(own)),
      this.#every(REFRESH_VOLUMES_MS, own, () => this.#refreshVolumes(own)),
    ]);
    this.#context.content?.stop();
    await this.#recorder?.close();
  }

  #startContentSources(signal: AbortSignal): void {
    const onChange = (podUid: string) => this.#pods.worker(podUid)?.volumesChanged();
    const warn: ContentHost["warn"] = (pod, reason, message) => this.#context.events.event(podReference(pod), "Warning", reason, message);
    for (const source of this.#options.contentSources ?? []) source.start({ signal, onChange, warn });
  }

  #makeFollower(store: ObjectCache): ContentFollower {
    const { client, clock, random, logger } = this.#options;
    return new ContentFollower({ client, clock, random, logger, store, onChange: (uid) => this.#pods.worker(uid)?.refreshVolumes() });
  }

  #makeContext(events: EventSink): NodeContext {
    const options = this.#options;
    const { client, clock, runtime, machine, cgroups = noCgroups } = options;
    const { rootDir = "/var/lib/kubelet", logDir = "/var/log/pods", resolvConf = "/etc/resolv.conf" } = options;
    const objects = options.objects ?? new ObjectCache(client, clock);
    const services = this.#informers.informer(resources.services);
    const { files, pullVerification: verification = DEFAULT_VERIFICATION } = options;
    const records = new PullRecords({ files, directory: `${rootDir}/image_manager`, verification, clock });
    return {
      ...options,
      cgroups,
      rootDir,
      logDir,
      resolvConf,
      events,
      probeCounts: options.probeCounts ?? new ProbeCounts(),
      objects,
      content: options.followsContent === true ? this.#makeFollower(objects) : undefined,
      images: new ImagePuller({ runtime, clock, records, isLoaded: options.isImageLoaded }),
      pullRecords: records,
      services: services.lister,
      servicesSynced: async (signal) => {
        if (!services.hasSynced) await this.#informers.waitForSync(AbortSignal.any([signal, this.#stop.signal]));
      },
      memoryBytes: machine.memoryBytes,
      runtimeStatus: () => this.#registrar.runtimeStatus,
    };
  }

  #admissionNode(): AdmissionNode {
    const node = this.#registrar.node;
    const { nodeName: name, taints } = this.#facts;
    return {
      name,
      labels: node?.metadata.labels ?? nodeLabels(this.#facts),
      taints: node?.spec?.taints ?? taints,
      allocatable: node?.status?.allocatable ?? nodeAllocatable(this.#facts),
      pressures: this.#housekeeping?.pressures ?? NO_PRESSURES,
      closed: this.#shutdown.rejection,
      features: {
        supplementalGroupsPolicy: this.#registrar.runtimeStatus?.supplementalGroupsPolicy,
        isAppArmorEnabled: this.#facts.machine.isAppArmorEnabled === true,
      },
    };
  }

  #follow(): void {
    const fieldSelector = `spec.nodeName=${this.#facts.nodeName}`;
    this.#informers.informer(resources.pods, { fieldSelector }).onChange({
      added: (pod: PodObject) => this.#see(pod),
      updated: (_old, pod: PodObject) => this.#see(pod),
      deleted: (pod: PodObject) => (isMirrorPod(pod) ? this.#statics.loseMirror(pod) : this.#pods.lose(pod)),
    });
    const see = (node: DeepReadonly<Node>) => this.#registrar.see(node);
    const own = { fieldSelector: `metadata.name=${this.#facts.nodeName}` };
    this.#informers.informer(resources.nodes, own).onChange({ added: see, updated: (_, node) => see(node) });
  }

  #see(pod: PodObject): void {
    if (isMirrorPod(pod)) this.#statics.seeMirror(pod);
    else this.#pods.see(pod);
  }

  async #adoptWhenSynced(signal: AbortSignal): Promise<void> {
    try {
      await this.#informers.waitForSync(signal);
      this.#statics.synced();
      await this.#pods.adoptOrphans(signal);
    } catch (error) {
      if (!signal.aborted) this.#context.logger.error("cannot look for orphaned pods", { error });
    }
  }

  async #refreshVolumes(signal: AbortSignal): Promise<void> {
    this.#context.objects.sweep();
    for (const pod of this.#pods.list()) {
      if (signal.aborted) return;
      await this.#pods.worker(pod.metadata.uid ?? "")?.refreshVolumes();
    }
  }

  async #every(periodMs: number, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#context.clock.sleep(periodMs, signal);
        await work();
      } catch (error) {
        if (!signal.aborted) this.#context.logger.warn("periodic work failed", { error });
      }
    }
  }
}
