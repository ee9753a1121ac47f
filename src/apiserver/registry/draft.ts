// A private, changeable object on its way into the store.
import { copyJson, type DeepReadonly, type KubeObject } from "../../machinery/index.ts";

export type Draft = KubeObject & Record<string, unknown>;

/** A draft that begins as `object`. */
export function draftOf(object: DeepReadonly<KubeObject>): Draft {
  return copyJson(object) as unknown as Draft;
}

export function fieldOf(object: object, name: string): unknown {
  return (object as Record<string, unknown>)[name];
}
