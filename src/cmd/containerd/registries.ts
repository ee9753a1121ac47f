// Mirrors and credentials of image registries, from a file that people write: the registries.yaml of other small
// distributions. Mirrors become containerd's hosts.toml files, credentials the node's own docker configuration.

export interface RegistryTls {
  readonly ca_file?: string;
  readonly cert_file?: string;
  readonly key_file?: string;
  readonly insecure_skip_verify?: boolean;
}

export interface RegistryLogin {
  readonly username?: string;
  readonly password?: string;
  /** `username:password` in base64. */
  readonly auth?: string;
}

export interface Registries {
  /** What is asked instead of a registry, in this order, before the registry itself. */
  readonly mirrors: Readonly<Record<string, { readonly endpoint?: readonly string[] }>>;
  /** By host, with a port if it is not the usual one. */
  readonly configs: Readonly<Record<string, { readonly auth?: RegistryLogin; readonly tls?: RegistryTls }>>;
}

/** The file is not one. */
export class RegistriesError extends Error {
  readonly code = "REGISTRIES";
  override readonly name = "RegistriesError";
}

const FIELDS: Readonly<Record<string, readonly string[]>> = {
  mirrors: ["endpoint"],
  configs: ["auth", "tls"],
  auth: ["username", "password", "auth"],
  tls: ["ca_file", "cert_file", "key_file", "insecure_skip_verify"],
};
const DOCKER_HUB = "docker.io";
const DOCKER_HUB_SERVER = "https://registry-1.docker.io";
/** Under which name docker configurations know it. */
const DOCKER_HUB_LOGIN = "https://index.docker.io/v1/";

/** `document` is the parsed file. @throws RegistriesError */
export function parseRegistries(document: unknown): Registries {
  const file = (document ?? {}) as Partial<Registries>;
  checkFields("", file, ["mirrors", "configs"]);
  const { mirrors = {}, configs = {} } = file;
  for (const [host, mirror] of Object.entries(mirrors)) {
    checkFields(`mirrors.${host}.`, mirror, FIELDS["mirrors"]);
    const wrong = (mirror?.endpoint ?? []).find((endpoint) => !/^https?:\/\//.test(endpoint) || !URL.canParse(endpoint));
    if (wrong !== undefined)
      throw new RegistriesError(`mirrors.${host}.endpoint must be URLs such as https://mirror.example, not ${wrong}`);
  }
  for (const [host, config] of Object.entries(configs)) {
    checkFields(`configs.${host}.`, config, FIELDS["configs"]);
    checkFields(`configs.${host}.auth.`, config?.auth ?? {}, FIELDS["auth"]);
    checkFields(`configs.${host}.tls.`, config?.tls ?? {}, FIELDS["tls"]);
  }
  return { mirrors, configs };
}

function checkFields(path: string, value: unknown, known: readonly string[] = []): void {
  const unknown = Object.keys(value ?? {}).find((name) => !known.includes(name));
  if (unknown !== undefined) throw new RegistriesError(`unknown field ${path}${unknown}; there are ${known.join(", ")}`);
}

/** containerd's hosts.toml files, by registry. */
export function renderHosts({ mirrors, configs }: Registries): ReadonlyMap<string, string> {
  const isMirror = new Set(Object.values(mirrors).flatMap(({ endpoint = [] }) => endpoint.map((url) => new URL(url).host)));
  const registries = new Set([...Object.keys(mirrors), ...Object.keys(configs).filter((host) => !isMirror.has(host))]);
  return new Map(
    [...registries].map((registry) => {
      const server = registry === DOCKER_HUB ? DOCKER_HUB_SERVER : `https://${registry}`;
      const endpoints = (mirrors[registry]?.endpoint ?? []).map((url) => renderHost(url, configs[new URL(url).host], { isMirror: true }));
      const own = renderHost(server, configs[registry], { isMirror: false });
      return [registry, `server = ${quote(server)}\n${endpoints.join("")}${own}`];
    }),
  );
}

function renderHost(url: string, config: Registries["configs"][string] | undefined, { isMirror }: { readonly isMirror: boolean }): string {
  const { ca_file: ca, cert_file: certificate, key_file: key, insecure_skip_verify: isInsecure } = config?.tls ?? {};
  const login = config?.auth === undefined ? undefined : basicLogin(config.auth);
  return [
    `\n[host.${quote(url)}]`,
    `  capabilities = ["pull", "resolve"]`,
    ...(ca === undefined ? [] : [`  ca = ${quote(ca)}`]),
    ...(certificate === undefined ? [] : [`  client = [[${quote(certificate)}, ${quote(key ?? "")}]]`]),
    ...(isInsecure === true ? ["  skip_verify = true"] : []),
    // What the node or a pod signs in with is for the registry; it does not reach a mirror.
    ...(isMirror && login !== undefined ? [`  [host.${quote(url)}.header]`, `    Authorization = ${quote(`Basic ${login}`)}`] : []),
    "",
  ].join("\n");
}

/** The docker configuration with which the node signs in to registries: every pod of the node may use what it pulls. */
export function renderDockerConfig({ configs }: Registries): string {
  const auths = Object.entries(configs).flatMap(([host, { auth }]) => {
    return auth === undefined ? [] : [[host === DOCKER_HUB ? DOCKER_HUB_LOGIN : host, { auth: basicLogin(auth) }] as const];
  });
  return `${JSON.stringify({ auths: Object.fromEntries(auths) })}\n`;
}

function basicLogin({ username = "", password = "", auth }: RegistryLogin): string {
  return auth ?? Buffer.from(`${username}:${password}`).toString("base64");
}

function quote(text: string): string {
  return JSON.stringify(text);
}
