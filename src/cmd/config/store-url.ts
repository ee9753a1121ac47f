// The text by which a user names an etcd: `etcd://host:2379,host:2379/prefix`.

export interface EtcdAddress {
  /** `host:port` each. */
  readonly endpoints: readonly string[];
  /** Such as `/k8ts`. */
  readonly prefix: string;
}

/** What a cluster's keys are below when the text names no prefix. */
const DEFAULT_PREFIX = "/k8ts";
const DEFAULT_PORT = "2379";

/** A text that names no store; the message says how one looks. */
export class StoreUrlError extends Error {
  readonly code = "STORE_URL";
}

/** @throws StoreUrlError */
export function parseEtcdUrl(text: string): EtcdAddress {
  const [, hosts = "", path = ""] = /^etcd:\/\/([^/]+)(\/.*)?$/.exec(text) ?? [];
  const endpoints = hosts.split(",").map((host) => (/:\d+$/.test(host) ? host : `${host}:${DEFAULT_PORT}`));
  if (!endpoints.every((endpoint) => /^([A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\]):\d{1,5}$/.test(endpoint))) {
    throw new StoreUrlError(`"${text}" names no etcd: write etcd://host:2379, several hosts with commas between them`);
  }
  const prefix = path.replace(/\/+$/, "");
  return { endpoints, prefix: prefix === "" ? DEFAULT_PREFIX : prefix };
}
