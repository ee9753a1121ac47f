// Tells when something in a directory changes.
import { watch } from "node:fs";

export interface FileWatcher {
  /** Calls `onChange` after changes in `directory`, until the answer is called. */
  watch(directory: string, onChange: () => void): () => void;
}

/** inotify, through Node. */
export const hostFileWatcher: FileWatcher = {
  watch: (directory, onChange) => {
    const watcher = watch(directory, { persistent: false }, onChange);
    watcher.on("error", onChange);
    return () => watcher.close();
  },
};
