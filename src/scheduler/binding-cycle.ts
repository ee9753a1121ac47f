// What follows the choice of a node: Permit, PreBind, Bind and PostBind, while the scheduler already places other pods.

import type { NodeInfo } from "./cluster/node-info.ts";
import type { PodInfo } from "./cluster/pod-info.ts";
import type { Plugin, Rejection } from "./framework/plugin.ts";
import type { Profile } from "./profile/profile.ts";

/** A plug-in rejected the pod after it was placed. */
export interface LateRejection {
  readonly plugin: Plugin;
  readonly rejection: Rejection;
}

/** Reserves with all plug-ins; when one rejects, none keeps a reservation. */
export function reserve({ enabled }: Profile, pod: PodInfo, node: NodeInfo): LateRejection | undefined {
  for (const { plugin } of enabled.reserve) {
    const rejection = plugin.reserve?.(pod, node);
    if (rejection === undefined) continue;
    unreserve({ enabled }, pod, node.name);
    return { plugin, rejection };
  }
  return undefined;
}

/** In the opposite order. */
export function unreserve({ enabled }: Pick<Profile, "enabled">, pod: PodInfo, nodeName: string): void {
  for (const { plugin } of enabled.reserve.toReversed()) plugin.unreserve?.(pod, nodeName);
}

/** Undefined: the pod is bound. Throws when it cannot be. */
export async function bindingCycle(
  { enabled, extenders }: Profile,
  { pod, nodeName }: { readonly pod: PodInfo; readonly nodeName: string },
  signal: AbortSignal,
): Promise<LateRejection | undefined> {
  for (const { plugin } of enabled.permit) {
    const rejection = await plugin.permit?.(pod, nodeName, signal);
    if (rejection !== undefined) return { plugin, rejection };
  }
  for (const { plugin } of enabled.preBind) await plugin.preBind?.(pod, nodeName, signal);
  const binders = extenders.filter((extender) => extender.bind !== undefined && extender.isInterested(pod));
  const binding =
    binders[0]?.bind?.(pod, nodeName, signal) ??
    enabled.bind.reduce<Promise<void> | undefined>((done, { plugin }) => done ?? plugin.bind?.(pod, nodeName, signal), undefined);
  if (binding === undefined) throw new Error("no plug-in bound the pod");
  await binding;
  for (const { plugin } of enabled.postBind) plugin.postBind?.(pod, nodeName);
  return undefined;
}
