// The variables that tell a container where services are: the API's always, those of its namespace by service links.
import type { Service } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";

/** The API server's own service; every container gets its variables. */
const MASTER = { namespace: "default", name: "kubernetes" };

/** Variables in order: `<NAME>_SERVICE_HOST`, `…_PORT` and the forms of Docker links. */
export function serviceEnv(
  services: readonly DeepReadonly<Service>[],
  pod: { readonly namespace: string; readonly hasServiceLinks: boolean },
): Map<string, string> {
  const env = new Map<string, string>();
  const chosen = new Map<string, DeepReadonly<Service>>();
  for (const service of services) {
    const { namespace, name = "" } = service.metadata;
    const ip = service.spec?.clusterIP;
    if (ip === undefined || ip === "" || ip === "None") continue;
    const isMaster = namespace === MASTER.namespace && name === MASTER.name;
    if (namespace === pod.namespace && (pod.hasServiceLinks || isMaster)) chosen.set(name, service);
    else if (isMaster && !chosen.has(name)) chosen.set(name, service);
  }
  for (const service of chosen.values()) addService(env, service);
  return env;
}

function variableName(name: string): string {
  return name.toUpperCase().replaceAll("-", "_");
}

function addService(env: Map<string, string>, service: DeepReadonly<Service>): void {
  const prefix = variableName(service.metadata.name ?? "");
  const host = service.spec?.clusterIP ?? "";
  const ports = service.spec?.ports ?? [];
  const literal = host.includes(":") ? `[${host}]` : host;
  env.set(`${prefix}_SERVICE_HOST`, host);
  if (ports[0] !== undefined) env.set(`${prefix}_SERVICE_PORT`, String(ports[0].port));
  for (const { name, port } of ports) {
    if (name !== undefined && name !== "") env.set(`${prefix}_SERVICE_PORT_${variableName(name)}`, String(port));
  }
  ports.forEach(({ port, protocol = "TCP" }, index) => {
    const url = `${protocol.toLowerCase()}://${literal}:${port}`;
    const link = `${prefix}_PORT_${port}_${protocol.toUpperCase()}`;
    if (index === 0) env.set(`${prefix}_PORT`, url);
    env.set(link, url);
    env.set(`${link}_PROTO`, protocol.toLowerCase());
    env.set(`${link}_PORT`, String(port));
    env.set(`${link}_ADDR`, host);
  });
}
