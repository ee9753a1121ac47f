// Reads a kubeconfig: which server to talk to and as whom. Files that it names are the caller's to read.
import { parse } from "yaml";
import type { HttpClientOptions } from "./http-client.ts";

export interface Kubeconfig {
  readonly "current-context"?: string;
  readonly contexts?: readonly { readonly name: string; readonly context: KubeconfigContext }[];
  readonly clusters?: readonly { readonly name: string; readonly cluster: KubeconfigCluster }[];
  readonly users?: readonly { readonly name: string; readonly user: KubeconfigUser }[];
}

export interface KubeconfigContext {
  readonly cluster: string;
  readonly user: string;
  readonly namespace?: string;
}

export interface KubeconfigCluster {
  readonly server: string;
  readonly "certificate-authority"?: string;
  /** Base64 of PEM. */
  readonly "certificate-authority-data"?: string;
  readonly "tls-server-name"?: string;
  readonly "insecure-skip-tls-verify"?: boolean;
}

export interface KubeconfigUser {
  readonly "client-certificate"?: string;
  readonly "client-certificate-data"?: string;
  readonly "client-key"?: string;
  readonly "client-key-data"?: string;
  readonly token?: string;
  readonly tokenFile?: string;
}

export class KubeconfigError extends Error {
  readonly code = "INVALID_KUBECONFIG";
}

export interface KubeconfigTarget {
  readonly options: Omit<HttpClientOptions, "userAgent" | "clock">;
  /** The context's, `default` when it has none. */
  readonly namespace: string;
}

export interface KubeconfigOptions {
  /** Default: the current context. */
  readonly context?: string;
  /** Reads a file named in the kubeconfig; without it such a name is an error. */
  readonly readFile?: (path: string) => string;
}

export function parseKubeconfig(yaml: string): Kubeconfig {
  const config = readYaml(yaml);
  if (typeof config !== "object" || config === null) throw new KubeconfigError("the kubeconfig is empty");
  for (const [section, part] of Object.entries({ contexts: "context", clusters: "cluster", users: "user" })) {
    if (!isNamedList((config as Readonly<Record<string, unknown>>)[section], part)) {
      throw new KubeconfigError(`the kubeconfig's ${section} must be a list of a name and a ${part} each`);
    }
  }
  return config;
}

function readYaml(yaml: string): unknown {
  try {
    return parse(yaml, { logLevel: "error" });
  } catch (cause) {
    throw new KubeconfigError(`the kubeconfig is no YAML: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** Whether every element has an object as its `part`; a section may be left out. */
function isNamedList(section: unknown, part: string): boolean {
  if (section === undefined || section === null) return true;
  return Array.isArray(section) && section.every((entry: unknown) => isObject(entry) && isObject(entry[part]));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

/** The options of a client for a context. Throws KubeconfigError with what is missing. */
export function fromKubeconfig(config: Kubeconfig, options: KubeconfigOptions = {}): KubeconfigTarget {
  const contextName = options.context ?? config["current-context"] ?? "";
  if (contextName === "") throw new KubeconfigError("the kubeconfig has no current-context");
  const context = config.contexts?.find(({ name }) => name === contextName)?.context;
  if (context === undefined) throw new KubeconfigError(`the kubeconfig has no context "${contextName}"`);
  const cluster = config.clusters?.find(({ name }) => name === context.cluster)?.cluster;
  if (cluster === undefined) throw new KubeconfigError(`the kubeconfig has no cluster "${context.cluster}"`);
  const user = config.users?.find(({ name }) => name === context.user)?.user ?? {};
  const read = (data: string | undefined, path: string | undefined) => pem(data, path, options);
  const { tokenFile } = user;
  const readToken = tokenFile === undefined ? undefined : () => readNamed(tokenFile, options).trim();
  return {
    options: {
      server: serverOf(cluster),
      ca: read(cluster["certificate-authority-data"], cluster["certificate-authority"]),
      cert: read(user["client-certificate-data"], user["client-certificate"]),
      key: read(user["client-key-data"], user["client-key"]),
      serverName: cluster["tls-server-name"],
      isInsecure: cluster["insecure-skip-tls-verify"],
      token: user.token,
      tokenSource: readToken,
    },
    namespace: context.namespace ?? "default",
  };
}

function serverOf({ server }: KubeconfigCluster): URL {
  if (!URL.canParse(server)) throw new KubeconfigError(`the kubeconfig has no server's address, but "${server}"`);
  return new URL(server);
}

function pem(data: string | undefined, path: string | undefined, options: KubeconfigOptions): string | undefined {
  if (data !== undefined) return Buffer.from(data, "base64").toString();
  return path === undefined ? undefined : readNamed(path, options);
}

function readNamed(path: string, { readFile }: KubeconfigOptions): string {
  if (readFile === undefined) throw new KubeconfigError(`the kubeconfig names the file ${path}, which cannot be read here`);
  return readFile(path);
}
