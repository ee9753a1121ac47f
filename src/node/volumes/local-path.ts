// The directories of volumes that the local-path provisioner places on this node: made before a pod needs them, removed
// when their volume is deleted. A directory's name is its volume's; no path comes from the API.
import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { PersistentVolume } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";

/** Below it, volumes that are half removed. */
const REMOVING = ".removing";
/** Below it, a file for each volume with its reclaim policy: what is retained outlives its volume. */
const POLICIES = ".policies";
const NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const PROVISIONED_BY = "pv.kubernetes.io/provisioned-by";
const PROVISIONER = "k8ts.dev/local-path";
const HOSTNAME = "kubernetes.io/hostname";

/** Whether the volume is one of the provisioner's, on the node of this name. */
export function isLocalPath({ metadata, spec }: DeepReadonly<PersistentVolume>, hostname: string): boolean {
  const terms = spec?.nodeAffinity?.required?.nodeSelectorTerms ?? [];
  const isHere = terms.some(({ matchExpressions }) =>
    matchExpressions?.some(({ key, values }) => key === HOSTNAME && values?.includes(hostname)),
  );
  return metadata.annotations?.[PROVISIONED_BY] === PROVISIONER && isHere && NAME.test(metadata.name ?? "");
}

export class LocalPathVolumes {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  /** Makes the volume's directory, which every user may write to; harmless when it is there. */
  async ensure({ metadata, spec }: DeepReadonly<PersistentVolume>): Promise<void> {
    const name = checkedName(metadata.name);
    const policies = join(this.#root, POLICIES);
    await mkdir(policies, { recursive: true, mode: 0o711 });
    await writeFile(join(policies, name), spec?.persistentVolumeReclaimPolicy ?? "Retain");
    const directory = join(this.#root, name);
    await mkdir(directory, { recursive: true });
    await chmod(directory, 0o777);
  }

  /** Removes the directory of a volume that is gone, unless it is to be retained. Goes on where it was interrupted. */
  async remove(volumeName: string): Promise<void> {
    const name = checkedName(volumeName);
    const policy = await readFile(join(this.#root, POLICIES, name), "utf8").catch(() => "Retain");
    if (policy !== "Delete") return;
    await mkdir(join(this.#root, REMOVING), { recursive: true, mode: 0o700 });
    const doomed = join(this.#root, REMOVING, name);
    await rename(join(this.#root, name), doomed).catch(ignoreMissing);
    await rm(doomed, { recursive: true, force: true });
    await rm(join(this.#root, POLICIES, name), { force: true });
  }

  /** The volumes that have something here. */
  async list(): Promise<readonly string[]> {
    const names = await Promise.all([POLICIES, REMOVING].map((part) => readdir(join(this.#root, part)).catch(() => [])));
    return [...new Set(names.flat())].filter((name) => NAME.test(name));
  }
}

function checkedName(name = ""): string {
  if (!NAME.test(name)) throw new Error(`${JSON.stringify(name)} is no name of a volume`);
  return name;
}

function ignoreMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
}
