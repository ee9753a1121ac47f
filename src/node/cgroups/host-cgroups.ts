// The node's control groups: /<root>/kubepods with a class for burstable and best-effort pods, a group for each pod.
import type { Clock, Logger } from "../../base/index.ts";
import { cpuShares } from "../containers/linux-resources.ts";
import type { PodObject } from "../pod/pod-object.ts";
import { podRequests, qosClass } from "../resources/pod-resources.ts";
import type { CgroupManager } from "./cgroup-manager.ts";
import { type Hierarchy, hasCode } from "./hierarchy.ts";
import { groupOf, podGroup, podLimits } from "./pod-limits.ts";

export interface HostCgroupsOptions {
  readonly hierarchy: Hierarchy;
  /** The name of the top group: one for each node on a machine. Default `k8ts`. */
  readonly root?: string;
  /** What all pods together may have: the node's allocatable. */
  readonly milliCpus: number;
  readonly memoryBytes: number;
  /** How many processes a pod may have; absent or negative: as many as there can be. */
  readonly podPidsLimit?: number;
  readonly clock: Pick<Clock, "sleep">;
  readonly logger: Logger;
}

/** What was killed takes a moment to leave its group: how often we look, each time after twice as long. */
const FIRST_LOOK_MS = 10;
const LOOKS = 6;

const CLASSES = ["Guaranteed", "Burstable", "BestEffort"] as const;

export class HostCgroups implements CgroupManager {
  readonly #options: HostCgroupsOptions;
  readonly #root: string;
  /** CPU requests of burstable pods in thousandths, by uid: their class gets the sum. */
  readonly #burstable = new Map<string, number>();

  constructor(options: HostCgroupsOptions) {
    this.#options = options;
    this.#root = options.root ?? "k8ts";
  }

  async setUp(): Promise<void> {
    const { hierarchy, milliCpus, memoryBytes: memoryLimitBytes } = this.#options;
    const top = `/${this.#root}/kubepods`;
    await hierarchy.make(`${top}/burstable`);
    await hierarchy.make(`${top}/besteffort`);
    await this.#limit(top, { cpuShares: cpuShares(milliCpus), memoryLimitBytes });
    await this.#limit(`${top}/besteffort`, { cpuShares: cpuShares(0) });
    await this.#shareBurstable();
  }

  async ensurePod(pod: PodObject): Promise<string> {
    const group = groupOf(this.#root, pod);
    await this.#options.hierarchy.make(group);
    const { podPidsLimit = -1 } = this.#options;
    await this.#limit(group, { ...podLimits(pod), ...(podPidsLimit < 0 ? {} : { pidsLimit: podPidsLimit }) });
    if (qosClass(pod) === "Burstable") {
      this.#burstable.set(pod.metadata.uid ?? "", podRequests(pod).get("cpu") ?? 0);
      await this.#shareBurstable();
    }
    return group;
  }

  async removePod(uid: string): Promise<void> {
    for (const qos of CLASSES) await this.#remove(podGroup(this.#root, { uid, qos }));
    if (this.#burstable.delete(uid)) await this.#shareBurstable();
  }

  /** How many processes and threads a pod has. */
  countProcesses(pod: PodObject): Promise<number> {
    return this.#options.hierarchy.processes(groupOf(this.#root, pod));
  }

  async listPods(): Promise<readonly string[]> {
    const top = `/${this.#root}/kubepods`;
    const names = await Promise.all([top, `${top}/burstable`, `${top}/besteffort`].map((group) => this.#options.hierarchy.children(group)));
    return names.flat().flatMap((name) => (name.startsWith("pod") ? [name.slice("pod".length)] : []));
  }

  /** What the runtime has left running, or lost, is killed. */
  async #remove(group: string): Promise<void> {
    const { clock, hierarchy } = this.#options;
    for (let look = 1; ; look++) {
      try {
        return await hierarchy.remove(group);
      } catch (error) {
        if (!hasCode(error, "EBUSY") || look > LOOKS) throw error;
      }
      await hierarchy.kill(group);
      await clock.sleep(FIRST_LOOK_MS * 2 ** (look - 1));
    }
  }

  async #shareBurstable(): Promise<void> {
    const total = [...this.#burstable.values()].reduce((sum, value) => sum + value, 0);
    await this.#limit(`/${this.#root}/kubepods/burstable`, { cpuShares: cpuShares(total) });
  }

  /** A kernel that lacks a controller must not keep pods from running. */
  async #limit(group: string, limits: Parameters<Hierarchy["limit"]>[1]): Promise<void> {
    try {
      await this.#options.hierarchy.limit(group, limits);
    } catch (error) {
      this.#options.logger.warn("cannot limit a control group", { group, error });
    }
  }
}
