// Making an object that every namespace has.
import type { ResourceRef } from "../api/index.ts";
import type { Client } from "../client/index.ts";
import { type DeepReadonly, isAlreadyExists, isNotFound, type KubeObject, StatusError } from "../machinery/index.ts";

/** Creates `object`; that it is there, or that its namespace goes away, is no error. */
export async function createInNamespace<T extends KubeObject>(
  client: Client,
  resource: ResourceRef<T>,
  object: DeepReadonly<T>,
  signal: AbortSignal,
): Promise<void> {
  try {
    await client.create(resource, object, { namespace: object.metadata.namespace, signal });
  } catch (error) {
    if (!isAlreadyExists(error) && !isNotFound(error) && !isNamespaceTerminating(error)) throw error;
  }
}

/** Whether the server refused because the namespace is on its way out: nothing will ever be made there. */
export function isNamespaceTerminating(error: unknown): boolean {
  return error instanceof StatusError && error.status.details?.causes?.some(({ reason }) => reason === "NamespaceTerminating") === true;
}
