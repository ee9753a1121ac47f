// Which of a pod's pull secrets belong to an image's registry.
import { createHash } from "node:crypto";
import type { Secret } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import type { RegistryAuth } from "../runtime/runtime.ts";

const DOCKER_HUB = "index.docker.io";
const DOCKER_HUB_SERVER = "registry-1.docker.io";

interface DockerEntry {
  readonly username?: string;
  readonly password?: string;
  readonly auth?: string;
  readonly identitytoken?: string;
  readonly registrytoken?: string;
}

/** Words that a registry may accept, and where they stand. */
export interface PullCredential {
  readonly auth: RegistryAuth;
  /** Absent when they are the node's own. */
  readonly secret?: { readonly uid: string; readonly namespace: string; readonly name: string };
  /** Of the words, so that they are known again in another secret. */
  readonly hash: string;
}

/** `registry.example:5000/team/app` of an image reference, without tag and digest. */
export function imageRepository(image: string): string {
  const name = (image.split("@", 1)[0] ?? "").replace(/:[^:/]*$/, "");
  const first = name.split("/", 1)[0] ?? "";
  const hasHost = name.includes("/") && (first.includes(".") || first.includes(":") || first === "localhost");
  if (!hasHost) return `${DOCKER_HUB}/${name}`;
  return first === "docker.io" ? name.replace("docker.io", DOCKER_HUB) : name;
}

function matches(pattern: string, repository: string): boolean {
  const plain = pattern
    .replace(/^https?:\/\//, "")
    .replace(/\/v[12]\/?$/, "")
    .replace(/\/$/, "");
  const [host = "", ...path] = plain.split("/");
  const [imageHost = "", ...imagePath] = repository.split("/");
  const wanted = (host === "docker.io" ? DOCKER_HUB : host).split(".");
  const actual = imageHost.split(".");
  if (wanted.length !== actual.length) return false;
  const isHost = wanted.every((part, index) => globMatches(part, actual[index] ?? ""));
  return isHost && path.every((part, index) => part === imagePath[index]);
}

function globMatches(glob: string, text: string): boolean {
  if (!glob.includes("*")) return glob === text;
  const pattern = glob.replace(/[\\^$.+?()[\]{}|]/g, "\\$&").replaceAll("*", ".*");
  return new RegExp(`^${pattern}$`).test(text);
}

/** The credentials to try, most specific registry first; secrets that cannot be read count as none. */
export function credentialsFor(image: string, secrets: readonly DeepReadonly<Secret>[]): readonly PullCredential[] {
  const found = secrets.flatMap((secret) => {
    const { uid = "", namespace = "", name = "" } = secret.metadata;
    const source = { uid, namespace, name };
    return fittingEntries(image, entriesOf(secret)).map((fitting) => ({ ...fitting, source }));
  });
  return found
    .toSorted((a, b) => b.registry.length - a.registry.length)
    .map(({ entry, source }) => ({ ...credentialOf(image, entry), secret: source }));
}

/** The node's own credentials for an image, from the text of a docker configuration; one that cannot be read has none. */
export function nodeCredentialsFor(image: string, dockerConfig: string): readonly PullCredential[] {
  const fitting = fittingEntries(image, parseEntries(dockerConfig, { isJson: true }));
  return fitting.toSorted((a, b) => b.registry.length - a.registry.length).map(({ entry }) => credentialOf(image, entry));
}

function fittingEntries(image: string, entries: Readonly<Record<string, DockerEntry>>) {
  const repository = imageRepository(image);
  return Object.entries(entries).flatMap(([registry, entry]) => (matches(registry, repository) ? [{ registry, entry }] : []));
}

/** They are for the registry alone: a mirror that is asked instead of it does not get them. */
function credentialOf(image: string, entry: DockerEntry): PullCredential {
  const [host = ""] = imageRepository(image).split("/", 1);
  const auth = {
    serverAddress: `https://${host === DOCKER_HUB ? DOCKER_HUB_SERVER : host}`,
    ...login(entry),
    ...(entry.identitytoken === undefined ? {} : { identityToken: entry.identitytoken }),
    ...(entry.registrytoken === undefined ? {} : { registryToken: entry.registrytoken }),
  };
  return { auth, hash: createHash("sha256").update(JSON.stringify(auth)).digest("hex") };
}

function login(entry: DockerEntry): Pick<RegistryAuth, "username" | "password"> {
  if (entry.auth === undefined || entry.auth === "") return { username: entry.username ?? "", password: entry.password ?? "" };
  const text = Buffer.from(entry.auth, "base64").toString("utf8");
  const colon = text.indexOf(":");
  return colon < 0 ? {} : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

function entriesOf(secret: DeepReadonly<Secret>): Readonly<Record<string, DockerEntry>> {
  const isJson = secret.type === "kubernetes.io/dockerconfigjson";
  const encoded = secret.data?.[isJson ? ".dockerconfigjson" : ".dockercfg"];
  return encoded === undefined ? {} : parseEntries(Buffer.from(encoded, "base64").toString("utf8"), { isJson });
}

/** Of a docker configuration, or with `isJson` false of its older form without `auths`. */
function parseEntries(text: string, { isJson }: { readonly isJson: boolean }): Readonly<Record<string, DockerEntry>> {
  try {
    const parsed = JSON.parse(text);
    return (isJson ? parsed.auths : parsed) ?? {};
  } catch {
    return {};
  }
}
