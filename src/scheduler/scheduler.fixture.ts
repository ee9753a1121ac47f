// Nodes, pods and clusters for the scheduler's tests, without a server.
import type { Node, Pod, PodSpec } from "../api/types/core/v1.ts";
import { SeededRandom, silentLogger, VirtualClock } from "../base/index.ts";
import type { Client, Informer, InformerSource } from "../client/index.ts";
import type { DeepReadonly, KubeObject } from "../machinery/index.ts";
import { ClusterState } from "./cluster/cluster-state.ts";
import { type PodInfo, podInfo } from "./cluster/pod-info.ts";
import { fitErrorMessage } from "./placement/fit-error.ts";
import { Nominator } from "./placement/nominator.ts";
import { Placer } from "./placement/placer.ts";
import { defaultRegistry, type PluginContext, type PluginRegistry } from "./plugins/registry.ts";
import type { ExtenderConfiguration, ProfileConfiguration } from "./profile/configuration.ts";
import { makeProfiles } from "./profile/make-profiles.ts";

export interface NodeShape {
  readonly cpu?: string;
  readonly memory?: string;
  readonly pods?: string;
  readonly extended?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly taints?: readonly { key: string; value?: string; effect: string }[];
  readonly unschedulable?: boolean;
  readonly images?: readonly { readonly names: readonly string[]; readonly sizeBytes: number }[];
}

export function testNode(name: string, shape: NodeShape = {}): DeepReadonly<Node> {
  const { cpu = "4", memory = "8Gi", pods = "110", extended = {}, labels = {}, taints = [], unschedulable = false, images = [] } = shape;
  return {
    metadata: { name, labels: { "kubernetes.io/hostname": name, ...labels } },
    spec: { taints, unschedulable },
    status: { allocatable: { cpu, memory, pods, ...extended }, images },
  };
}

export interface PodShape {
  readonly name?: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly requests?: Readonly<Record<string, string>>;
  readonly spec?: DeepReadonly<Partial<PodSpec>>;
  readonly status?: DeepReadonly<Pod["status"]>;
}

let pods = 0;

export function testPod(shape: PodShape = {}): DeepReadonly<Pod> {
  const { name = `pod-${pods++}`, namespace = "default", labels = {}, requests = { cpu: "1", memory: "1Gi" }, spec, status } = shape;
  const full = {
    kind: "Pod",
    apiVersion: "v1",
    metadata: { name, namespace, labels, uid: `${namespace}/${name}`, generation: 1 },
    spec: { schedulerName: "default-scheduler", containers: [{ name: "c", resources: { requests } }], ...spec },
    status,
  };
  return full as DeepReadonly<Pod>;
}

export function testPodInfo(shape: PodShape = {}): PodInfo {
  return podInfo(testPod(shape));
}

/** Informers over fixed objects, by plural of the resource; nothing ever changes. */
export function fixedInformers(objects: Readonly<Record<string, readonly DeepReadonly<KubeObject>[]>> = {}): InformerSource {
  const inform = (plural: string): Informer<KubeObject> => {
    const all = () => objects[plural] ?? [];
    const isIn = (object: DeepReadonly<KubeObject>, namespace: string) => namespace === "" || object.metadata.namespace === namespace;
    return {
      hasSynced: true,
      addIndex: () => {},
      onChange: () => () => {},
      lister: {
        get: (namespace, name) => all().find((object) => object.metadata.name === name && isIn(object, namespace)),
        list: (namespace = "") => all().filter((object) => isIn(object, namespace)),
        isEmpty: (namespace) => !all().some((object) => object.metadata.namespace === namespace),
        byIndex: () => [],
      },
    };
  };
  return {
    // The caller says what the resource's objects are.
    informer: ((resource: { readonly resource: string }) => inform(resource.resource)) as unknown as InformerSource["informer"],
    start: () => {},
    release: () => {},
    waitForSync: async () => {},
  };
}

export interface TestClusterOptions {
  readonly nodes?: readonly DeepReadonly<Node>[];
  readonly objects?: Readonly<Record<string, readonly DeepReadonly<KubeObject>[]>>;
  readonly profile?: Partial<ProfileConfiguration>;
  readonly extenders?: readonly ExtenderConfiguration[];
  readonly plugins?: PluginRegistry;
  readonly seed?: number;
}

/** A picture of a cluster and a profile that places pods in it. */
export class TestCluster {
  readonly cluster = new ClusterState();
  readonly nominator = new Nominator();
  readonly placer: Placer;
  readonly #random: SeededRandom;

  constructor({ nodes = [], objects = {}, profile = {}, extenders = [], plugins = {}, seed = 1 }: TestClusterOptions = {}) {
    this.#random = new SeededRandom(seed);
    for (const node of nodes) this.cluster.setNode(node);
    const context: PluginContext = {
      cluster: this.cluster,
      nominator: this.nominator,
      informers: fixedInformers(objects),
      client: {} as Client,
      recorder: { event: () => {} },
      clock: new VirtualClock(),
      random: this.#random,
      logger: silentLogger,
    };
    const profiles = [{ schedulerName: "default-scheduler", plugins: {}, pluginArgs: {}, ...profile }];
    const [made] = makeProfiles({
      configuration: { profiles, extenders, backoff: {} },
      registry: { ...defaultRegistry, ...plugins },
      context,
    });
    if (made === undefined) throw new Error("no profile");
    this.placer = new Placer({ profile: made, cluster: this.cluster, nominator: this.nominator });
  }

  /** Finds a node and puts the pod there; answers its name, or why there is none. */
  place(pod: PodInfo): string {
    const node = this.placer.place(pod, this.#random);
    if ("rejections" in node) return fitErrorMessage(this.cluster.nodeCount, node);
    this.cluster.setPod(pod, node.name);
    return node.name;
  }

  /** Places pods of that shape, one after the other. */
  placeAll(...shapes: readonly PodShape[]): string[] {
    return shapes.map((shape) => this.place(testPodInfo(shape)));
  }

  /** The weighted sum of all scores by name of the node. */
  scores(pod: PodInfo): Record<string, number> {
    const found = this.placer.find(pod);
    if ("rejections" in found) return {};
    const totals = this.placer.scores.totals(this.placer.scores.scorersFor(pod), found, found.verdicts);
    return Object.fromEntries(found.nodes.map(({ name }, index) => [name, totals[index] ?? 0]));
  }
}
