// What the protecting controllers share: one finalizer on all objects of a resource.
import type { ResourceRef } from "../../api/index.ts";
import { type Informer, WorkQueue } from "../../client/index.ts";
import { type DeepReadonly, type KubeObject, objectKey, splitKey } from "../../machinery/index.ts";
import { type Controller, type ControllerContext, keyedController } from "../controller.ts";
import { protectedFinalizers } from "../protected-finalizers.ts";

export interface Protection<T extends KubeObject> {
  readonly name: string;
  readonly resource: ResourceRef<T>;
  readonly finalizer: string;
  /** By the informers. */
  isInUse(object: DeepReadonly<T>): boolean;
  /** Asks the server: informers may be late, and what is let go is gone. */
  isReallyInUse?(object: DeepReadonly<T>, signal: AbortSignal): Promise<boolean>;
  /** Asked for once; calls `changed` with the key of an object whose use may have changed. */
  follow(changed: (key: string) => void): void;
}

export function protectionController<T extends KubeObject>(context: ControllerContext, protection: Protection<T>): Controller {
  const { client, clock, informers } = context;
  const { name, resource, finalizer } = protection;
  const queue = new WorkQueue<string>({ clock });
  const objects: Informer<T> = informers.informer(resource);
  const add = (object: DeepReadonly<T>) => queue.add(objectKey(object));
  objects.onChange({ added: add, updated: (_, object) => add(object) });
  protection.follow((key) => {
    const { namespace, name } = splitKey(key);
    if (objects.lister.get(namespace, name)?.metadata.deletionTimestamp !== undefined) queue.add(key);
  });
  const reconcile = async (key: string, signal: AbortSignal) => {
    const { namespace, name: objectName } = splitKey(key);
    const object = objects.lister.get(namespace, objectName);
    if (object === undefined) return undefined;
    const finalizers = protectedFinalizers(object, finalizer, () => protection.isInUse(object));
    if (finalizers === undefined) return undefined;
    const isLettingGo = object.metadata.deletionTimestamp !== undefined;
    if (isLettingGo && (await protection.isReallyInUse?.(object, signal)) === true) return undefined;
    const updated = { ...object, metadata: { ...object.metadata, finalizers } };
    await client.update(resource, updated as DeepReadonly<T>, { namespace, signal });
    return undefined;
  };
  return keyedController({ name, context, queue, reconcile });
}
