// Whether a pod has left the API, where a conflict leaves that open.
import { resources } from "../../api/index.ts";
import type { Client } from "../../client/index.ts";
import { isConflict, isNotFound } from "../../machinery/index.ts";
import { type PodObject, podUid } from "./pod-object.ts";

/**
 * Whether `error`, with which a call about this very pod was refused, says that the pod is gone, or that another one has taken its
 * name. A conflict may also mean that others wrote at the same time, so the API is asked; rejects when it does not answer.
 */
export async function isGone(client: Pick<Client, "get">, pod: PodObject, error: unknown): Promise<boolean> {
  if (isNotFound(error)) return true;
  if (!isConflict(error)) return false;
  const { name = "", namespace } = pod.metadata;
  try {
    const found = await client.get(resources.pods, name, { namespace });
    return podUid(found) !== podUid(pod);
  } catch (unanswered) {
    if (isNotFound(unanswered)) return true;
    throw unanswered;
  }
}
