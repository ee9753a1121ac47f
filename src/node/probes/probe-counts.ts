// How often probes ran and what they found: `/metrics/probes`.
import type { PodObject } from "../pod/pod-object.ts";

export interface ProbeCount {
  readonly labels: Readonly<Record<string, string>>;
  readonly count: number;
}

export class ProbeCounts {
  /** By pod uid, then by the labels as JSON. */
  readonly #counts = new Map<string, Map<string, number>>();

  add(pod: PodObject, container: string, seen: { readonly kind: string; readonly result: string }): void {
    const { uid = "", name = "", namespace = "" } = pod.metadata;
    const labels = { container, namespace, pod: name, pod_uid: uid, probe_type: seen.kind, result: seen.result };
    const ofPod = this.#counts.get(uid) ?? new Map<string, number>();
    const key = JSON.stringify(labels);
    this.#counts.set(uid, ofPod.set(key, (ofPod.get(key) ?? 0) + 1));
  }

  /** The pod is gone, and with it its series. */
  forget(podUid: string): void {
    this.#counts.delete(podUid);
  }

  list(): readonly ProbeCount[] {
    const all = [...this.#counts.values()].flatMap((counts) => [...counts]);
    return all.map(([labels, count]) => ({ labels: JSON.parse(labels) as Record<string, string>, count }));
  }
}
