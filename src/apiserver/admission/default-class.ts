// Which of several default classes (of storage, of ingresses) is meant.
import type { DeepReadonly, KubeObject } from "../../machinery/index.ts";

/** The newest class that one of the annotations `keys` makes the default; among equally old ones the first by name. */
export function newestDefault<T extends KubeObject>(
  classes: readonly DeepReadonly<T>[],
  keys: readonly string[],
): DeepReadonly<T> | undefined {
  const isDefault = ({ metadata }: DeepReadonly<KubeObject>) => keys.some((key) => metadata.annotations?.[key] === "true");
  const age = ({ metadata }: DeepReadonly<KubeObject>) => Date.parse(metadata.creationTimestamp ?? "") || 0;
  const nameOf = ({ metadata }: DeepReadonly<KubeObject>) => metadata.name ?? "";
  const defaults = classes.filter(isDefault);
  return defaults.sort((a, b) => age(b) - age(a) || (nameOf(a) < nameOf(b) ? -1 : 1))[0];
}
