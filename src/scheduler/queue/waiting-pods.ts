// Pods that wait for events, by the events that may help them.
import type { ClusterEvent, ObjectChange } from "../framework/events.ts";
import type { Plugin, QueuedPod } from "../framework/plugin.ts";

/** What the queue has to know of a plug-in that rejected a pod. */
export type Rejecting = Pick<Plugin, "name" | "wakesOn">;

export interface WaitingPod extends QueuedPod {
  readonly rejectedBy: readonly Rejecting[];
}

export class WaitingPods<T extends WaitingPod> {
  readonly #byEvent = new Map<ClusterEvent, Set<T>>();

  add(pod: T): void {
    for (const event of eventsFor(pod)) {
      const pods = this.#byEvent.get(event) ?? new Set<T>();
      this.#byEvent.set(event, pods.add(pod));
    }
  }

  delete(pod: T): void {
    for (const event of eventsFor(pod)) this.#byEvent.get(event)?.delete(pod);
  }

  /** The pods that the change may let fit. */
  helpedBy(event: ClusterEvent, change: ObjectChange): readonly T[] {
    const helped: T[] = [];
    for (const pod of this.#byEvent.get(event) ?? []) if (canHelp(pod, event, change)) helped.push(pod);
    return helped;
  }
}

function eventsFor({ rejectedBy }: WaitingPod): Set<ClusterEvent> {
  return new Set(rejectedBy.flatMap(({ wakesOn = [] }) => wakesOn.map(({ on }) => on)));
}

/** Whether a plug-in that rejected the pod takes the change for one that may let it fit. */
export function canHelp({ info, rejectedBy }: WaitingPod, event: ClusterEvent, change: ObjectChange): boolean {
  return rejectedBy.some(({ wakesOn = [] }) => wakesOn.some(({ on, hint }) => on === event && (hint?.(info, change) ?? true)));
}
