// What a client asks of a connection (exec, attach, port-forward, proxy), as the object that admission sees.
import { isTrue } from "../../machinery/index.ts";
import type { RequestInfo } from "./request-info.ts";

const flags = ["stdin", "stdout", "stderr", "tty"];
const booleans: Readonly<Record<string, readonly string[]>> = { exec: flags, attach: flags };

/** The options of `kind` (PodExecOptions, PodProxyOptions, …) from a request's query and path. */
export function connectOptions(kind: string, { subresource, query, subpath }: RequestInfo): Record<string, unknown> {
  const asked = query ?? new URLSearchParams();
  const options: Record<string, unknown> = { kind, apiVersion: "v1" };
  for (const name of booleans[subresource] ?? []) if (isTrue(asked.get(name))) options[name] = true;
  const container = asked.get("container") ?? "";
  if (container !== "") options["container"] = container;
  const command = asked.getAll("command");
  if (command.length > 0) options["command"] = command;
  const ports = asked.getAll("ports").flatMap((list) => list.split(",").map(Number));
  if (ports.length > 0) options["ports"] = ports;
  if (subresource === "proxy" && subpath.length > 0) options["path"] = subpath.join("/");
  return options;
}
