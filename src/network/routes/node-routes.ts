// Routes to the pods of the other nodes: each node's pod CIDR by way of that node's address, or through a tunnel to it when it is
// behind a router, which knows nothing of pods.
import { isDeepStrictEqual } from "node:util";
import { resources } from "../../api/index.ts";
import type { Node } from "../../api/types/core/v1.ts";
import type { Clock, Logger } from "../../base/index.ts";
import type { Informer, InformerSource } from "../../client/index.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import { familyOf } from "../ip-family.ts";
import { SyncLoop } from "../sync-loop.ts";
import type { TunnelEnd } from "./tunnel.ts";

/** Pod CIDR → the node address that it is reached by. */
export type Routes = ReadonlyMap<string, string>;

/** The kernel's routing table, as far as we change it; changes succeed when there is nothing left to do. */
export interface RouteTable {
  /** Whether packets to the address reach it without a router. */
  isOnLink(address: string): Promise<boolean>;
  replace(cidr: string, via: string): Promise<void>;
  remove(cidr: string, via: string): Promise<void>;
  replaceTunnel(own: TunnelEnd, peer: TunnelEnd): Promise<void>;
  removeTunnel(peer: TunnelEnd): Promise<void>;
}

export interface NodeRoutesOptions {
  readonly informers: InformerSource;
  readonly nodeName: string;
  readonly table: RouteTable;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The routes that the node `nodeName` needs. */
export function wantedRoutes(nodes: readonly DeepReadonly<Node>[], nodeName: string): Routes {
  const routes = new Map<string, string>();
  for (const node of nodes) {
    if (node.metadata.name === nodeName) continue;
    for (const { podCidr, address } of endsOf(node)) routes.set(podCidr, address);
  }
  return routes;
}

/** The node's pod CIDRs, each with the node's address of the same family. */
function endsOf(node: DeepReadonly<Node>): TunnelEnd[] {
  // Hollow nodes have no machine: no pod of theirs can be reached.
  const addresses = (node.status?.addresses ?? [])
    .filter(({ type, address }) => type === "InternalIP" && !address.startsWith("127."))
    .map(({ address }) => address);
  return (node.spec?.podCIDRs ?? [node.spec?.podCIDR ?? ""].filter(Boolean)).flatMap((podCidr) => {
    const address = addresses.find((candidate) => familyOf(candidate) === familyOf(podCidr));
    return address === undefined ? [] : [{ address, podCidr }];
  });
}

/** How a pod CIDR is reached: `own` is this node's end of the tunnel, if it takes one. */
interface Path {
  readonly via: string;
  readonly own: TunnelEnd | undefined;
}

export class NodeRoutes {
  readonly #options: NodeRoutesOptions;
  readonly #nodes: Informer<Node>;
  #current: ReadonlyMap<string, Path> = new Map();
  /** What the current paths were chosen for. */
  #chosenFor: unknown;

  constructor(options: NodeRoutesOptions) {
    this.#options = options;
    this.#nodes = options.informers.informer(resources.nodes);
  }

  /** Follows the nodes until the signal aborts. The routes stay: traffic goes on without the agent. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger, informers } = this.#options;
    const loop = new SyncLoop({ clock, logger, failure: "setting routes failed" });
    const wake = () => loop.wake();
    const stop = this.#nodes.onChange({ added: wake, updated: wake, deleted: wake });
    await informers.waitForSync(signal);
    await loop.run(() => this.#sync(), signal);
    stop();
  }

  async #sync(): Promise<void> {
    const { nodeName } = this.#options;
    const nodes = this.#nodes.lister.list();
    const ownEnds = nodes.filter(({ metadata }) => metadata.name === nodeName).flatMap(endsOf);
    const routes = wantedRoutes(nodes, nodeName);
    // Most changes of nodes are reports of their health.
    if (isDeepStrictEqual(this.#chosenFor, { routes, ownEnds })) return;
    await this.#change(await this.#pathsFor(routes, ownEnds));
    this.#chosenFor = { routes, ownEnds };
  }

  async #change(wanted: ReadonlyMap<string, Path>): Promise<void> {
    const applied = new Map(this.#current);
    this.#current = applied;
    for (const [cidr, path] of applied) {
      if (isDeepStrictEqual(wanted.get(cidr), path)) continue;
      await this.#remove(cidr, path);
      applied.delete(cidr);
    }
    for (const [cidr, path] of wanted) {
      if (applied.has(cidr)) continue;
      await this.#add(cidr, path);
      applied.set(cidr, path);
    }
  }

  /** Without the nodes that need a tunnel which this node has no address or pods for yet. */
  async #pathsFor(routes: Routes, ownEnds: readonly TunnelEnd[]): Promise<Map<string, Path>> {
    const paths = new Map<string, Path>();
    for (const [cidr, via] of routes) {
      const isOnLink = await this.#options.table.isOnLink(via);
      const own = isOnLink ? undefined : ownEnds.find(({ address }) => familyOf(address) === familyOf(via));
      if (isOnLink || own !== undefined) paths.set(cidr, { via, own });
    }
    return paths;
  }

  #add(cidr: string, { via, own }: Path): Promise<void> {
    const { table } = this.#options;
    return own === undefined ? table.replace(cidr, via) : table.replaceTunnel(own, { address: via, podCidr: cidr });
  }

  #remove(cidr: string, { via, own }: Path): Promise<void> {
    const { table } = this.#options;
    return own === undefined ? table.remove(cidr, via) : table.removeTunnel({ address: via, podCidr: cidr });
  }
}
