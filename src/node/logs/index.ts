export { type FileWatcher, hostFileWatcher } from "./file-watcher.ts";
export { type LogReadOptions, readLog } from "./log-reader.ts";
export { LogRotator, type LogRotatorOptions } from "./log-rotator.ts";
