// Gathers the files of configMap, secret, downwardAPI and projected volumes from the objects they name.
import type { ClusterTrustBundleProjection, Pod, PodCertificateProjection, Volume, VolumeProjection } from "../../api/types/core/v1.ts";
import { type DeepReadonly, isNotFound } from "../../machinery/index.ts";
import type { Payload, PayloadFile } from "./atomic-writer.ts";
import { checkedPath, configMapData, downwardPayload, keyedPayload, PayloadError, secretData } from "./payload.ts";
import type { CertificatePlace, PodCertificates } from "./pod-certificates.ts";
import type { TokenSource } from "./token-source.ts";
import type { TrustBundles } from "./trust-bundles.ts";
import type { VolumeObjects } from "./volume-manager.ts";

export interface VolumeContentOptions {
  readonly objects: VolumeObjects;
  readonly tokens: TokenSource;
  /** Default: there are none. */
  readonly trustBundles?: Pick<TrustBundles, "anchors"> | undefined;
  readonly certificates?: Pick<PodCertificates, "credential"> | undefined;
  readonly allocatable: () => Readonly<Record<string, string>>;
}

const DEFAULT_MODE = 0o644;

interface NamedSource {
  readonly name?: string | undefined;
  readonly items?: DeepReadonly<{ key: string; path: string; mode?: number | undefined }[]> | undefined;
  readonly optional?: boolean | undefined;
}

export class VolumeContent {
  readonly #options: VolumeContentOptions;

  constructor(options: VolumeContentOptions) {
    this.#options = options;
  }

  /** The files the volume holds now, or undefined when it is of another type. Rejects with PayloadError or StatusError. */
  async files(pod: DeepReadonly<Pod>, volume: DeepReadonly<Volume>, signal?: AbortSignal): Promise<Payload | undefined> {
    const { configMap, secret, downwardAPI, projected } = volume;
    if (configMap !== undefined) return await this.#configMap(pod, configMap, configMap.defaultMode ?? DEFAULT_MODE);
    if (secret !== undefined) {
      return await this.#secret(pod, { ...secret, name: secret.secretName }, secret.defaultMode ?? DEFAULT_MODE);
    }
    if (downwardAPI !== undefined) {
      const allocatable = this.#options.allocatable();
      return downwardPayload(pod, downwardAPI.items ?? [], { defaultMode: downwardAPI.defaultMode ?? DEFAULT_MODE, allocatable });
    }
    if (projected === undefined) return undefined;
    const all = new Map<string, PayloadFile>();
    for (const [sourceIndex, source] of (projected.sources ?? []).entries()) {
      const place = { volumeName: volume.name, sourceIndex, defaultMode: projected.defaultMode ?? DEFAULT_MODE };
      for (const [path, file] of await this.#projection(pod, source, place, signal)) all.set(path, file);
    }
    return all;
  }

  async #projection(
    pod: DeepReadonly<Pod>,
    source: DeepReadonly<VolumeProjection>,
    place: ProjectionPlace,
    signal: AbortSignal | undefined,
  ): Promise<Payload> {
    const { tokens } = this.#options;
    const { defaultMode } = place;
    if (source.configMap !== undefined) return await this.#configMap(pod, source.configMap, defaultMode);
    if (source.secret !== undefined) return await this.#secret(pod, source.secret, defaultMode);
    if (source.downwardAPI !== undefined) {
      return downwardPayload(pod, source.downwardAPI.items ?? [], { defaultMode, allocatable: this.#options.allocatable() });
    }
    if (source.serviceAccountToken !== undefined) {
      const token = await tokens.token(pod, source.serviceAccountToken, signal);
      return new Map([[checkedPath(source.serviceAccountToken.path), privateFile(pod, token, defaultMode)]]);
    }
    if (source.clusterTrustBundle !== undefined) return await this.#trustBundle(pod, source.clusterTrustBundle, place, signal);
    if (source.podCertificate !== undefined) return await this.#certificate(pod, source.podCertificate, place, signal);
    throw new PayloadError(`unsupported projected source: ${Object.keys(source).join(", ")}`);
  }

  async #trustBundle(
    pod: DeepReadonly<Pod>,
    source: DeepReadonly<ClusterTrustBundleProjection>,
    { defaultMode }: ProjectionPlace,
    signal: AbortSignal | undefined,
  ): Promise<Payload> {
    const { trustBundles } = this.#options;
    if (trustBundles === undefined) throw new PayloadError("ClusterTrustBundle projection is not supported");
    const anchors = await trustBundles.anchors(pod.metadata.uid ?? "", source, signal);
    return new Map([[checkedPath(source.path), privateFile(pod, anchors, defaultMode)]]);
  }

  async #certificate(
    pod: DeepReadonly<Pod>,
    source: DeepReadonly<PodCertificateProjection>,
    place: ProjectionPlace,
    signal: AbortSignal | undefined,
  ): Promise<Payload> {
    const { certificates } = this.#options;
    if (certificates === undefined) throw new PayloadError("podCertificate projection is not supported");
    const { privateKey, chain } = await certificates.credential(pod, place, source, signal);
    const files = new Map<string, PayloadFile>();
    const add = (path: string | undefined, text: string) => {
      if (path) files.set(checkedPath(path), privateFile(pod, text, place.defaultMode));
    };
    add(source.credentialBundlePath, privateKey + chain);
    add(source.keyPath, privateKey);
    add(source.certificateChainPath, chain);
    return files;
  }

  async #configMap(pod: DeepReadonly<Pod>, source: NamedSource, defaultMode: number): Promise<Payload> {
    const { namespace = "" } = pod.metadata;
    const { name = "", items, optional: isOptional = false } = source;
    const object = await unlessMissing(this.#options.objects.configMap(namespace, name), isOptional);
    const data = object === undefined ? undefined : configMapData(object);
    return keyedPayload({ what: "configmap", namespace, name, data, items, defaultMode, isOptional });
  }

  async #secret(pod: DeepReadonly<Pod>, source: NamedSource, defaultMode: number): Promise<Payload> {
    const { namespace = "" } = pod.metadata;
    const { name = "", items, optional: isOptional = false } = source;
    const object = await unlessMissing(this.#options.objects.secret(namespace, name), isOptional);
    const data = object === undefined ? undefined : secretData(object);
    return keyedPayload({ what: "secret", namespace, name, data, items, defaultMode, isOptional });
  }
}

/** Which source of which volume, and the mode of its files. */
interface ProjectionPlace extends CertificatePlace {
  readonly defaultMode: number;
}

/** A file that, where the pod says who its users are, only they may read. */
function privateFile(pod: DeepReadonly<Pod>, text: string, defaultMode: number): PayloadFile {
  const uid = commonUser(pod);
  const isPrivate = uid !== undefined || pod.spec?.securityContext?.fsGroup !== undefined;
  return { data: Buffer.from(text), mode: isPrivate ? 0o600 : defaultMode, uid };
}

async function unlessMissing<T>(object: Promise<T>, isOptional: boolean): Promise<T | undefined> {
  try {
    return await object;
  } catch (error) {
    if (isOptional && isNotFound(error)) return undefined;
    throw error;
  }
}

/** The user that all containers run as, when the pod says so. */
function commonUser(pod: DeepReadonly<Pod>): number | undefined {
  const { containers = [], initContainers = [], securityContext } = pod.spec ?? {};
  const users = [...initContainers, ...containers].map((container) => container.securityContext?.runAsUser ?? securityContext?.runAsUser);
  const [first] = users;
  return users.every((user) => user === first) ? first : undefined;
}
