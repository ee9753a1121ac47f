// The node's heartbeat: a Lease of its name, renewed every ten seconds.
import { resources } from "../../api/index.ts";
import type { Lease } from "../../api/types/coordination/v1.ts";
import type { Node } from "../../api/types/core/v1.ts";
import { type Clock, formatMicroTime, type Logger } from "../../base/index.ts";
import type { Client } from "../../client/index.ts";
import { type DeepReadonly, isConflict, isNotFound } from "../../machinery/index.ts";

const NAMESPACE = "kube-node-lease";
const DURATION_SECONDS = 40;
export const RENEW_MS = 10_000;
/** After a failure; the lease must not run out over one. */
const RETRY_MS = 1_000;

export interface NodeLeaseOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly nodeName: string;
  readonly node: () => DeepReadonly<Node> | undefined;
}

export class NodeLease {
  readonly #options: NodeLeaseOptions;
  #lease: DeepReadonly<Lease> | undefined;

  constructor(options: NodeLeaseOptions) {
    this.#options = options;
  }

  /** Until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    while (!signal.aborted) {
      let delayMs = RENEW_MS;
      try {
        await this.renew(signal);
      } catch (error) {
        if (signal.aborted) return;
        delayMs = RETRY_MS;
        if (!isConflict(error)) logger.warn("cannot renew the node's lease", { error });
      }
      await clock.sleep(delayMs, signal).catch(() => {});
    }
  }

  /** Once. Rejects when the server does not take it; the next call begins with what the server has. */
  async renew(signal: AbortSignal): Promise<void> {
    const { client, nodeName } = this.#options;
    const known = this.#lease ?? (await this.#find(signal));
    this.#lease = undefined;
    const lease = this.#renewed(known);
    const call = { namespace: NAMESPACE, signal };
    this.#lease =
      known === undefined ? await client.create(resources.leases, lease, call) : await client.update(resources.leases, lease, call);
    if (this.#lease.metadata.name !== nodeName) this.#lease = undefined;
  }

  async #find(signal: AbortSignal): Promise<DeepReadonly<Lease> | undefined> {
    const { client, nodeName } = this.#options;
    try {
      return await client.get(resources.leases, nodeName, { namespace: NAMESPACE, signal });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  #renewed(known: DeepReadonly<Lease> | undefined): DeepReadonly<Lease> {
    const { nodeName, clock, node } = this.#options;
    const uid = node()?.metadata.uid;
    const owners = uid === undefined ? {} : { ownerReferences: [{ apiVersion: "v1", kind: "Node", name: nodeName, uid }] };
    const metadata = known?.metadata ?? { name: nodeName, namespace: NAMESPACE };
    return {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: { ...metadata, ...owners },
      spec: { ...known?.spec, holderIdentity: nodeName, leaseDurationSeconds: DURATION_SECONDS, renewTime: formatMicroTime(clock.now()) },
    };
  }
}
