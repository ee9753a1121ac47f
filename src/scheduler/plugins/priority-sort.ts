import type { Plugin } from "../framework/plugin.ts";

/** Pods of higher priority first; among equals the one that has been waiting longer. */
export const prioritySort: Plugin = {
  name: "PrioritySort",
  compare: (a, b) => b.info.priority - a.info.priority || a.queuedAtMs - b.queuedAtMs,
};
