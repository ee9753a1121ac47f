// Showing the content of an image as a directory: what image volumes need of the runtime beside the CRI.

export interface ImageMounter {
  /** Mounts the files of an image that is on the node, read-only. */
  mount(reference: string, target: string): Promise<void>;
  /** Takes the mount away and what the runtime keeps for it; harmless when there is none. */
  unmount(target: string): Promise<void>;
}
