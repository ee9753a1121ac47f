// Who pulled which image: a pod may use an image that is on the node only when the registry would have given it to the
// pod as well. The records are upstream's, in upstream's files.
import { createHash } from "node:crypto";
import { type Clock, formatTime } from "../../base/index.ts";
import type { NodeFiles } from "../files.ts";
import { imageRepository, type PullCredential } from "./credentials.ts";

/** Which images are for every pod though nobody knows who may have them. */
export interface PullVerification {
  readonly policy: "NeverVerify" | "NeverVerifyPreloadedImages" | "NeverVerifyAllowlistedImages" | "AlwaysVerify";
  /** Repositories, perhaps with `/*` for all below, of preloaded images that are for every pod. */
  readonly allowlist: readonly string[];
}

export const DEFAULT_VERIFICATION: PullVerification = { policy: "NeverVerifyPreloadedImages", allowlist: [] };

interface SecretRecord {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly credentialHash: string;
}

interface Access {
  /** Pulled without credentials of a pod. */
  readonly nodePodsAccessible?: boolean;
  readonly kubernetesSecrets?: readonly SecretRecord[];
}

interface PulledRecord {
  readonly kind: "ImagePulledRecord";
  readonly apiVersion: string;
  readonly lastUpdatedTime: string;
  readonly imageRef: string;
  /** By repository. */
  readonly credentialMapping: Readonly<Record<string, Access>>;
}

export interface PullRecordsOptions {
  readonly files: NodeFiles;
  /** kubelet's `image_manager`. */
  readonly directory: string;
  readonly verification: PullVerification;
  readonly clock: Clock;
}

const API_VERSION = "kubelet.config.k8s.io/v1beta1";

export class PullRecords {
  readonly #options: PullRecordsOptions;
  /** By image id; undefined is a record that cannot be read. */
  readonly #pulled = new Map<string, PulledRecord | undefined>();
  /** How many pulls of an image are under way, or were when an agent ended. */
  readonly #intents = new Map<string, number>();
  #loaded: Promise<void> | undefined;

  constructor(options: PullRecordsOptions) {
    this.#options = options;
  }

  /** Whether the pod has yet to show that it may have the image, by pulling it. `id` is the image that is on the node. */
  async mustPull(image: string, id: string, credentials: readonly PullCredential[]): Promise<boolean> {
    const { policy } = this.#options.verification;
    if (policy === "NeverVerify") return false;
    await this.#load();
    const isKnown = this.#pulled.has(fileName(id)) || this.#intents.has(fileName(image));
    if (!isKnown) return !this.#isPreloadedForAll(image);
    const access = this.#pulled.get(fileName(id))?.credentialMapping[imageRepository(image)];
    if (access?.nodePodsAccessible === true) return false;
    const known = access?.kubernetesSecrets ?? [];
    const match = credentials.find((credential) => known.some((secret) => isSame(secret, credential)));
    if (match === undefined) return true;
    await this.#record(image, id, match);
    return false;
  }

  /** A pull begins: should the agent end before it does, the image that it leaves is not taken for preloaded. */
  async begin(image: string): Promise<void> {
    await this.#load();
    const name = fileName(image);
    this.#intents.set(name, (this.#intents.get(name) ?? 0) + 1);
    const intent = { kind: "ImagePullIntent", apiVersion: API_VERSION, image };
    await this.#options.files.write(this.#path("pulling", name), JSON.stringify(intent), 0o600);
  }

  /** A pull is over; when it has worked, `done` says what came and by whose credentials. */
  async end(image: string, done?: { readonly id: string; readonly credential: PullCredential | undefined }): Promise<void> {
    if (done !== undefined) await this.#record(image, done.id, done.credential);
    const name = fileName(image);
    const left = (this.#intents.get(name) ?? 1) - 1;
    if (left > 0) {
      this.#intents.set(name, left);
      return;
    }
    this.#intents.delete(name);
    await this.#options.files.remove(this.#path("pulling", name));
  }

  /** Forgets images that are gone: `ids` are those that were there at `listedAtMs`. */
  async prune(ids: readonly string[], listedAtMs: number): Promise<void> {
    await this.#load();
    const present = new Set(ids.map(fileName));
    for (const [name, record] of this.#pulled) {
      // Times are in whole seconds.
      const isNewer = record !== undefined && Date.parse(record.lastUpdatedTime) + 1000 > listedAtMs;
      if (present.has(name) || isNewer) continue;
      this.#pulled.delete(name);
      await this.#options.files.remove(this.#path("pulled", name));
    }
  }

  #isPreloadedForAll(image: string): boolean {
    const { policy, allowlist } = this.#options.verification;
    if (policy === "NeverVerifyPreloadedImages") return true;
    const repository = imageRepository(image);
    const matches = (pattern: string) =>
      pattern.endsWith("/*") ? repository.startsWith(pattern.slice(0, -1)) : repository === imageRepository(pattern);
    return policy === "NeverVerifyAllowlistedImages" && allowlist.some(matches);
  }

  async #record(image: string, id: string, credential: PullCredential | undefined): Promise<void> {
    const repository = imageRepository(image);
    const name = fileName(id);
    const mapping = this.#pulled.get(name)?.credentialMapping ?? {};
    const access = accessWith(mapping[repository] ?? {}, credential);
    if (access === mapping[repository]) return;
    const record: PulledRecord = {
      ...{ kind: "ImagePulledRecord", apiVersion: API_VERSION, lastUpdatedTime: formatTime(this.#options.clock.now()), imageRef: id },
      credentialMapping: { ...mapping, [repository]: access },
    };
    this.#pulled.set(name, record);
    await this.#options.files.write(this.#path("pulled", name), JSON.stringify(record), 0o600);
  }

  #load(): Promise<void> {
    this.#loaded ??= this.#read();
    return this.#loaded;
  }

  async #read(): Promise<void> {
    const { files, directory } = this.#options;
    for (const name of await files.list(`${directory}/pulled`)) {
      this.#pulled.set(name, parseRecord((await files.read(this.#path("pulled", name))) ?? ""));
    }
    for (const name of await files.list(`${directory}/pulling`)) this.#intents.set(name, 1);
  }

  #path(kind: "pulled" | "pulling", name: string): string {
    return `${this.#options.directory}/${kind}/${name}`;
  }
}

/** The access after a pull with this credential; the same object when it says so already. */
function accessWith(access: Access, credential: PullCredential | undefined): Access {
  if (access.nodePodsAccessible === true) return access;
  const { secret, hash } = credential ?? {};
  if (secret === undefined || hash === undefined) return { nodePodsAccessible: true };
  const known = access.kubernetesSecrets ?? [];
  if (known.some((record) => record.uid === secret.uid && record.credentialHash === hash)) return access;
  const others = known.filter(({ uid }) => uid !== secret.uid);
  return { kubernetesSecrets: [...others, { ...secret, credentialHash: hash }] };
}

/** The same secret, whatever is in it by now, or the same words in another one. */
function isSame(record: SecretRecord, { secret, hash }: PullCredential): boolean {
  if (record.credentialHash === hash) return true;
  return record.uid === secret?.uid && record.namespace === secret.namespace && record.name === secret.name;
}

function parseRecord(text: string): PulledRecord | undefined {
  try {
    return JSON.parse(text) as PulledRecord;
  } catch {
    return undefined;
  }
}

function fileName(name: string): string {
  return `sha256-${createHash("sha256").update(name).digest("hex")}`;
}
