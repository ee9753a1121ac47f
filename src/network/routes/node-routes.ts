// Routes to the pods of the other nodes: each node's pod CIDR by way of that node's address.
import { resources } from "../../api/index.ts";
import type { Node } from "../../api/types/core/v1.ts";
import type { Clock, Logger } from "../../base/index.ts";
import type { Informer, InformerSource } from "../../client/index.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import { familyOf } from "../ip-family.ts";
import { SyncLoop } from "../sync-loop.ts";

/** Pod CIDR → the node address that it is reached by. */
export type Routes = ReadonlyMap<string, string>;

/** The kernel's routing table, as far as we change it; both calls succeed when there is nothing left to do. */
export interface RouteTable {
  replace(cidr: string, via: string): Promise<void>;
  remove(cidr: string, via: string): Promise<void>;
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
    // Hollow nodes have no machine: no pod of theirs can be reached.
    const addresses = (node.status?.addresses ?? [])
      .filter(({ type, address }) => type === "InternalIP" && !address.startsWith("127."))
      .map(({ address }) => address);
    for (const cidr of node.spec?.podCIDRs ?? []) {
      const via = addresses.find((address) => familyOf(address) === familyOf(cidr));
      if (via !== undefined) routes.set(cidr, via);
    }
  }
  return routes;
}

export class NodeRoutes {
  readonly #options: NodeRoutesOptions;
  readonly #nodes: Informer<Node>;
  #current: Routes = new Map();

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
    const wanted = wantedRoutes(this.#nodes.lister.list(), this.#options.nodeName);
    const applied = new Map(this.#current);
    this.#current = applied;
    for (const [cidr, via] of applied) {
      if (wanted.has(cidr)) continue;
      await this.#options.table.remove(cidr, via);
      applied.delete(cidr);
    }
    for (const [cidr, via] of wanted) {
      if (applied.get(cidr) === via) continue;
      await this.#options.table.replace(cidr, via);
      applied.set(cidr, via);
    }
  }
}
