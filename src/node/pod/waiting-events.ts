// Events for containers that begin to wait.
import type { EventSink } from "../node-context.ts";
import { containerReference } from "./pod-events.ts";
import { findContainer, formatPod, type PodObject } from "./pod-object.ts";
import type { Plan } from "./step.ts";

export class WaitingEvents {
  readonly #events: EventSink;
  #waiting: Plan["waiting"] = new Map();

  constructor(events: EventSink) {
    this.#events = events;
  }

  /** Tells of those that did not wait for the same reason when this was called before. */
  report(pod: PodObject, waiting: Plan["waiting"]): void {
    for (const [name, { reason }] of waiting) {
      if (this.#waiting.get(name)?.reason === reason) continue;
      const about = containerReference(pod, { name });
      if (reason === "CrashLoopBackOff") {
        this.#events.event(about, "Warning", "BackOff", `Back-off restarting failed container ${name} in pod ${formatPod(pod)}`);
      } else if (reason === "ImagePullBackOff") {
        const image = findContainer(pod, name)?.spec.image ?? "";
        this.#events.event(about, "Normal", "BackOff", `Back-off pulling image "${image}"`);
        this.#events.event(about, "Warning", "Failed", "Error: ImagePullBackOff");
      }
    }
    this.#waiting = waiting;
  }
}
