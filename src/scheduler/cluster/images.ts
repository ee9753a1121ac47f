// Which container images are on which nodes.
import type { Node } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";

export class ImageIndex {
  /** Raised with every change. */
  version = 0;
  /** By image name: its size in bytes, by slot. */
  readonly #images = new Map<string, Map<number, number>>();

  /** Sizes by slot of the nodes that have the image. */
  nodesWith(image: string): ReadonlyMap<number, number> | undefined {
    return this.#images.get(image);
  }

  set(slot: number, old: DeepReadonly<Node> | undefined, node: DeepReadonly<Node> | undefined): void {
    const before = sizes(old);
    const after = sizes(node);
    for (const name of before.keys()) {
      if (after.has(name)) continue;
      const slots = this.#images.get(name);
      slots?.delete(slot);
      if (slots?.size === 0) this.#images.delete(name);
      this.version++;
    }
    for (const [name, bytes] of after) {
      if (before.get(name) === bytes) continue;
      const slots = this.#images.get(name) ?? new Map<number, number>();
      this.#images.set(name, slots.set(slot, bytes));
      this.version++;
    }
  }
}

function sizes(node: DeepReadonly<Node> | undefined): Map<string, number> {
  const bytesByName = new Map<string, number>();
  for (const { names = [], sizeBytes = 0 } of node?.status?.images ?? []) {
    for (const name of names) bytesByName.set(normalizedImageName(name), Number(sizeBytes));
  }
  return bytesByName;
}

/** `nginx` is `nginx:latest`; what has a tag or a digest stays as it is. */
export function normalizedImageName(name: string): string {
  return name.lastIndexOf(":") <= name.lastIndexOf("/") ? `${name}:latest` : name;
}
