// Volumes on this host: directories, tmpfs mounts and files under `<rootDir>/pods/<uid>`, in kubelet's layout.
import { createHash } from "node:crypto";
import { chmod, mkdir, readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ephemeralClaimName } from "../../api/index.ts";
import type { PersistentVolume, Pod, Volume } from "../../api/types/core/v1.ts";
import type { Clock, Random } from "../../base/index.ts";
import type { Client } from "../../client/index.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import { AtomicWriter } from "./atomic-writer.ts";
import { checkHostPath } from "./host-path.ts";
import type { ImageMounter } from "./image-mounter.ts";
import { type MemoryMount, memoryMount } from "./memory-medium.ts";
import type { Mounter } from "./mounter.ts";
import { giveToGroup } from "./ownership.ts";
import type { PodCertificates } from "./pod-certificates.ts";
import { handlePath, openSubPath } from "./sub-path.ts";
import { TokenSource } from "./token-source.ts";
import type { TrustBundles } from "./trust-bundles.ts";
import { VolumeContent } from "./volume-content.ts";
import { VolumeError, type VolumeManager, type VolumeObjects } from "./volume-manager.ts";

export interface HostVolumeManagerOptions {
  /** kubelet's root directory. */
  readonly rootDir: string;
  readonly mounter: Mounter;
  readonly objects: VolumeObjects;
  /** Asked for service account tokens. */
  readonly client: Pick<Client, "createSubresource">;
  /** Default: there are no such projections. */
  readonly trustBundles?: Pick<TrustBundles, "anchors" | "forget">;
  readonly certificates?: Pick<PodCertificates, "credential" | "forget">;
  /** Shows the content of images. Default: there are no image volumes. */
  readonly images?: ImageMounter;
  /** The node's allocatable amounts: what a container without a limit may use. */
  readonly allocatable: () => Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly random: Random;
  /** This process's id: the mount command reaches our open files by it. */
  readonly pid: number;
}

interface PodVolumes {
  readonly paths: Map<string, string>;
  /** Work on one pod's volumes is done one after the other. */
  tail: Promise<unknown>;
}

/** kubelet's directory names of the volume types that have one. */
const PLUGIN_DIRECTORIES = {
  emptyDir: "kubernetes.io~empty-dir",
  configMap: "kubernetes.io~configmap",
  secret: "kubernetes.io~secret",
  downwardAPI: "kubernetes.io~downward-api",
  projected: "kubernetes.io~projected",
  image: "kubernetes.io~image",
} as const;

type DirectoryType = keyof typeof PLUGIN_DIRECTORIES;

export class HostVolumeManager implements VolumeManager {
  readonly #options: HostVolumeManagerOptions;
  readonly #writer: AtomicWriter;
  readonly #tokens: TokenSource;
  readonly #content: VolumeContent;
  readonly #pods = new Map<string, PodVolumes>();

  constructor(options: HostVolumeManagerOptions) {
    this.#options = options;
    this.#writer = new AtomicWriter(options);
    this.#tokens = new TokenSource(options.client, options.clock);
    const { allocatable, objects, trustBundles, certificates } = options;
    this.#content = new VolumeContent({ objects, tokens: this.#tokens, trustBundles, certificates, allocatable });
  }

  mountPod(pod: DeepReadonly<Pod>, signal?: AbortSignal): Promise<ReadonlyMap<string, string>> {
    return this.#inTurn(uidOf(pod), async ({ paths }) => {
      for (const volume of pod.spec?.volumes ?? []) {
        if (paths.has(volume.name)) continue;
        signal?.throwIfAborted();
        const path = await asVolumeError(volume.name, this.#setUp(pod, volume, signal));
        paths.set(volume.name, path);
      }
      return paths;
    });
  }

  subPath(pod: DeepReadonly<Pod>, volumeName: string, subPath: string): Promise<string> {
    return this.#inTurn(uidOf(pod), ({ paths }) => {
      const volume = paths.get(volumeName);
      if (volume === undefined) throw new VolumeError(volumeName, `volume "${volumeName}" is not mounted`);
      return asVolumeError(volumeName, this.#bindSubPath(uidOf(pod), { name: volumeName, path: volume, subPath }));
    });
  }

  update(pod: DeepReadonly<Pod>, signal?: AbortSignal): Promise<void> {
    return this.#inTurn(uidOf(pod), async ({ paths }) => {
      for (const volume of pod.spec?.volumes ?? []) {
        const path = paths.get(volume.name);
        if (path !== undefined) await asVolumeError(volume.name, this.#writeContent(pod, volume, path, signal));
      }
    });
  }

  async unmountPod(podUid: string): Promise<void> {
    await this.#inTurn(podUid, async () => {
      const directory = this.#podDirectory(podUid);
      const mounts = await this.#options.mounter.mountPoints(directory);
      const imagesDirectory = join(directory, "volumes", PLUGIN_DIRECTORIES.image);
      for (const name of await readdir(imagesDirectory).catch(() => [])) await this.#options.images?.unmount(join(imagesDirectory, name));
      for (const target of mounts.toReversed()) await this.#options.mounter.unmount(target);
      const left = await this.#options.mounter.mountPoints(directory);
      if (left.length > 0) throw new VolumeError("", `still mounted: ${left.join(", ")}`);
      await rm(directory, { recursive: true, force: true });
      for (const kept of [this.#tokens, this.#options.trustBundles, this.#options.certificates]) kept?.forget(podUid);
    });
    this.#pods.delete(podUid);
  }

  async listPods(): Promise<readonly string[]> {
    return await readdir(join(this.#options.rootDir, "pods")).catch(() => []);
  }

  #podDirectory(podUid: string): string {
    return join(this.#options.rootDir, "pods", podUid);
  }

  /** Runs `work` when earlier work on this pod is over. */
  #inTurn<T>(podUid: string, work: (pod: PodVolumes) => Promise<T>): Promise<T> {
    const pod = this.#pods.get(podUid) ?? { paths: new Map<string, string>(), tail: Promise.resolve() };
    this.#pods.set(podUid, pod);
    const done = pod.tail.then(() => work(pod));
    pod.tail = done.catch(() => undefined);
    return done;
  }

  async #setUp(pod: DeepReadonly<Pod>, volume: DeepReadonly<Volume>, signal: AbortSignal | undefined): Promise<string> {
    if (volume.hostPath !== undefined) {
      await checkHostPath(volume.hostPath.path, volume.hostPath.type ?? "");
      return volume.hostPath.path;
    }
    if (volume.persistentVolumeClaim !== undefined) return await this.#claimed(pod, volume.persistentVolumeClaim.claimName);
    if (volume.ephemeral !== undefined) return await this.#claimed(pod, ephemeralClaimName(pod, volume.name));
    const type = Object.keys(PLUGIN_DIRECTORIES).find((name): name is DirectoryType => volume[name as DirectoryType] !== undefined);
    // A volume without a source is an emptyDir.
    const isSourceless = Object.keys(volume).length === 1;
    if (type === undefined && !isSourceless) throw new Error(`no volume plugin matched: ${Object.keys(volume).join(", ")}`);
    const directory = join(this.#podDirectory(uidOf(pod)), "volumes", PLUGIN_DIRECTORIES[type ?? "emptyDir"], volume.name);
    await mkdir(directory, { recursive: true });
    if (volume.image !== undefined) return await this.#mountImage(volume.image.reference ?? "", directory);
    const memory = memoryMount(pod, volume);
    if (memory !== undefined) await this.#mountMemory(directory, memory);
    await chmod(directory, 0o777);
    const fsGroup = pod.spec?.securityContext?.fsGroup;
    if (type === "emptyDir" || isSourceless) {
      if (fsGroup !== undefined) await giveToGroup(directory, fsGroup, { onRootMismatch: true });
    } else {
      await this.#writeContent(pod, volume, directory, signal);
    }
    return directory;
  }

  async #writeContent(pod: DeepReadonly<Pod>, volume: DeepReadonly<Volume>, directory: string, signal?: AbortSignal): Promise<void> {
    const files = await this.#content.files(pod, volume, signal);
    if (files !== undefined) await this.#writer.write(directory, files, pod.spec?.securityContext?.fsGroup);
  }

  async #mountImage(reference: string, directory: string): Promise<string> {
    const { images, mounter } = this.#options;
    if (images === undefined) throw new Error("image volumes are not supported by the runtime");
    if (!(await mounter.mountPoints(directory)).includes(directory)) await images.mount(reference, directory);
    return directory;
  }

  async #mountMemory(directory: string, { type, options }: MemoryMount): Promise<void> {
    const { mounter } = this.#options;
    if ((await mounter.mountPoints(directory)).includes(directory)) return;
    await mounter.mount({ source: type, target: directory, type, options });
  }

  async #claimed(pod: DeepReadonly<Pod>, claimName: string): Promise<string> {
    const { objects } = this.#options;
    const { namespace = "" } = pod.metadata;
    const claim = await objects.claim(namespace, claimName);
    const volumeName = claim.spec?.volumeName ?? "";
    if (claim.status?.phase !== "Bound" || volumeName === "") throw new Error(`PVC ${namespace}/${claimName} is not bound`);
    const volume = await objects.volume(volumeName);
    if (volume.spec?.claimRef?.uid !== claim.metadata.uid) throw new Error(`PV ${volumeName} is bound to another claim than ${claimName}`);
    return await persistentPath(volume, pod.spec?.securityContext);
  }

  async #bindSubPath(podUid: string, volume: { readonly name: string; readonly path: string; readonly subPath: string }): Promise<string> {
    const { mounter, pid } = this.#options;
    const handle = await openSubPath(volume.path, volume.subPath);
    try {
      const isDirectory = (await handle.stat()).isDirectory();
      const id = createHash("sha256").update(volume.subPath).digest("hex").slice(0, 16);
      const parent = join(this.#podDirectory(podUid), "volume-subpaths", volume.name);
      const target = join(parent, id);
      await mkdir(isDirectory ? target : parent, { recursive: true });
      if (!isDirectory) await writeFile(target, "", { flag: "a" });
      if ((await mounter.mountPoints(target)).includes(target)) return target;
      await mounter.mount({ source: handlePath(handle, pid), target, type: "bind", options: [] });
      return target;
    } finally {
      await handle.close();
    }
  }
}

function uidOf(pod: DeepReadonly<Pod>): string {
  return pod.metadata.uid ?? "";
}

/** Where a persistent volume of this host stands. */
async function persistentPath(
  volume: DeepReadonly<PersistentVolume>,
  security: { readonly fsGroup?: number | undefined; readonly fsGroupChangePolicy?: string | undefined } | undefined,
): Promise<string> {
  const { local, hostPath } = volume.spec ?? {};
  if (hostPath !== undefined) {
    await checkHostPath(hostPath.path, hostPath.type ?? "");
    return hostPath.path;
  }
  if (local === undefined) throw new Error(`no volume plugin matched persistent volume ${volume.metadata.name}`);
  await stat(local.path).catch(() => {
    throw new Error(`local volume path ${local.path} does not exist`);
  });
  const onRootMismatch = security?.fsGroupChangePolicy === "OnRootMismatch";
  if (security?.fsGroup !== undefined) await giveToGroup(local.path, security.fsGroup, { onRootMismatch });
  return local.path;
}

async function asVolumeError<T>(volumeName: string, done: Promise<T>): Promise<T> {
  try {
    return await done;
  } catch (error) {
    if (error instanceof VolumeError) throw error;
    throw new VolumeError(volumeName, error instanceof Error ? error.message : String(error), { cause: error });
  }
}
