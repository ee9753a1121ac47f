// Finalizers that keep an object as long as something uses it. Pure.
import type { DeepReadonly, KubeObject } from "../machinery/index.ts";

/** The finalizers to write; undefined when they are right. */
export function protectedFinalizers(
  { metadata }: DeepReadonly<KubeObject>,
  finalizer: string,
  isInUse: () => boolean,
): readonly string[] | undefined {
  const finalizers = metadata.finalizers ?? [];
  const isProtected = finalizers.includes(finalizer);
  if (metadata.deletionTimestamp === undefined) return isProtected ? undefined : [...finalizers, finalizer];
  return isProtected && !isInUse() ? finalizers.filter((each) => each !== finalizer) : undefined;
}
