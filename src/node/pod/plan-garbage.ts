// Which dead containers and sandboxes of a living pod are removed: of each container one earlier life stays, for its log.
import type { PodView } from "./pod-view.ts";
import type { Action } from "./step.ts";

/** Lives kept of each container: the latest and the one before. */
const KEPT_LIVES = 2;

export function planGarbage({ runtime, busy }: PodView): readonly Action[] {
  const lives = new Map<string, number>();
  const actions: Action[] = [];
  const kept = new Set<string>();
  for (const { id, name, state, sandboxId, logPath } of runtime.containers.toSorted((a, b) => b.attempt - a.attempt)) {
    const count = (lives.get(name) ?? 0) + 1;
    lives.set(name, count);
    const isGarbage = count > KEPT_LIVES && state !== "RUNNING" && !busy.has(`container/${name}`);
    if (isGarbage) actions.push({ kind: "removeContainer", key: `remove/${id}`, id, logPath });
    else kept.add(sandboxId);
  }
  for (const [index, { id, state }] of runtime.sandboxes.entries()) {
    if (index > 0 && state === "NOTREADY" && !kept.has(id)) actions.push({ kind: "removeSandbox", key: `remove/${id}`, id });
  }
  return actions;
}
