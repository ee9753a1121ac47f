// Enforces NetworkPolicies for the pods of this node: follows policies, and while there is one, all pods and namespaces.
import { resources } from "../../api/index.ts";
import type { Namespace, Pod } from "../../api/types/core/v1.ts";
import type { NetworkPolicy } from "../../api/types/networking/v1.ts";
import type { Clock, Logger } from "../../base/index.ts";
import type { Informer, InformerSource } from "../../client/index.ts";
import { type DeepReadonly, deepEqual } from "../../machinery/index.ts";
import type { IpFamily } from "../ip-family.ts";
import type { RunNft } from "../nft/elements.ts";
import { SyncLoop } from "../sync-loop.ts";
import { compilePolicies } from "./compile.ts";
import {
  isEmpty,
  NO_POLICIES,
  type PolicyScriptOptions,
  type PolicyTable,
  renderBase,
  renderChange,
  renderRemoval,
} from "./policy-table.ts";

export interface NetworkPoliciesOptions {
  readonly informers: InformerSource;
  readonly nodeName: string;
  readonly families: readonly IpFamily[];
  /** Name of the table, one for each family; nothing outside it is touched. */
  readonly table: string;
  readonly runNft: RunNft;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The table of one family as it stands in the kernel; undefined when that is not known. */
interface Applied {
  readonly options: PolicyScriptOptions;
  table: PolicyTable | undefined;
}

interface Selected {
  readonly pods: Informer<Pod>;
  readonly namespaces: Informer<Namespace>;
}

export class NetworkPolicies {
  readonly #options: NetworkPoliciesOptions;
  readonly #policies: Informer<NetworkPolicy>;
  readonly #applied: readonly Applied[];
  readonly #loop: SyncLoop;
  #selected: Selected | undefined;

  constructor(options: NetworkPoliciesOptions) {
    const { informers, families, table, clock, logger } = options;
    this.#options = options;
    this.#policies = informers.informer(resources.networkpolicies);
    this.#applied = families.map((family) => ({ options: { family, table }, table: undefined }));
    this.#loop = new SyncLoop({
      clock,
      logger,
      failure: "programming network policies failed",
      onFailure: () => {
        for (const applied of this.#applied) applied.table = undefined;
      },
    });
  }

  /** Follows the policies until the signal aborts. The rules stay: pods remain isolated without the agent. */
  async run(signal: AbortSignal): Promise<void> {
    const wake = () => this.#loop.wake();
    const stop = this.#policies.onChange({ added: wake, updated: wake, deleted: wake });
    await this.#options.informers.waitForSync(signal);
    await this.#loop.run((during) => this.#sync(during), signal);
    stop();
  }

  /** Takes away what an earlier run left: policies are not to be enforced. */
  async remove(signal: AbortSignal): Promise<void> {
    await this.#options.runNft(this.#applied.map(({ options }) => renderRemoval(options)).join(""), signal);
  }

  async #sync(signal: AbortSignal): Promise<void> {
    const policies = this.#policies.lister.list();
    const { pods, namespaces } = policies.length === 0 ? { pods: [], namespaces: [] } : await this.#follow(signal);
    const changes = this.#applied.map(({ options, table }) => {
      const { nodeName } = this.#options;
      const wanted = compilePolicies({ policies, pods, namespaces, nodeName, family: options.family });
      return { wanted, script: policyScript(options, table, wanted) };
    });
    const script = changes.map((change) => change.script).join("");
    if (script !== "") await this.#options.runNft(script, signal);
    for (const [index, applied] of this.#applied.entries()) applied.table = changes[index]?.wanted;
  }

  /** The first policy makes us follow pods and namespaces. */
  async #follow(signal: AbortSignal) {
    this.#selected ??= this.#select(signal);
    await this.#options.informers.waitForSync(signal);
    return { pods: this.#selected.pods.lister.list(), namespaces: this.#selected.namespaces.lister.list() };
  }

  #select(signal: AbortSignal): Selected {
    const { informers } = this.#options;
    const pods = informers.informer(resources.pods);
    const namespaces = informers.informer(resources.namespaces);
    const wake = () => this.#loop.wake();
    const wakeIf =
      <T>(isChanged: (old: T, now: T) => boolean) =>
      (old: T, now: T) => {
        if (isChanged(old, now)) wake();
      };
    pods.onChange({ added: wake, updated: wakeIf(isPodChanged), deleted: wake });
    const isRelabelled = (old: DeepReadonly<Namespace>, now: DeepReadonly<Namespace>) =>
      !deepEqual(old.metadata.labels, now.metadata.labels);
    namespaces.onChange({ added: wake, updated: wakeIf(isRelabelled), deleted: wake });
    informers.start(signal);
    return { pods, namespaces };
  }
}

/** From what stands (undefined: unknown) to what is wanted. No policies, no table. */
export function policyScript(options: PolicyScriptOptions, current: PolicyTable | undefined, wanted: PolicyTable): string {
  const hasTable = current !== undefined && !isEmpty(current);
  if (isEmpty(wanted)) return current === undefined || hasTable ? renderRemoval(options) : "";
  if (hasTable) return renderChange(options, current, wanted);
  return renderBase(options) + renderChange(options, NO_POLICIES, wanted);
}

function isPodChanged(old: DeepReadonly<Pod>, now: DeepReadonly<Pod>): boolean {
  return (
    (old.metadata.labels !== now.metadata.labels && !deepEqual(old.metadata.labels, now.metadata.labels)) ||
    old.status?.phase !== now.status?.phase ||
    !deepEqual(old.status?.podIPs, now.status?.podIPs)
  );
}
