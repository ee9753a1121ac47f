// Keeps Node's own HTTP client out of processes that do not use it.

/** Names in `node:http` that stand for parts of that client, and load all of it when they are read. */
const CLIENT_NAMES = ["WebSocket", "CloseEvent", "MessageEvent"] as const;

/**
 * To be called before the first `import` of `node:http`, which reads all its names: what stands for the client behind `fetch` takes
 * five megabytes. The globals of the same names are not touched, and load it when they are used.
 */
export function leanHttp(): void {
  const http: object = process.getBuiltinModule("node:http");
  for (const name of CLIENT_NAMES) Reflect.deleteProperty(http, name);
}
