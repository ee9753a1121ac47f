// A container as the runtime is to make it.
import type { Volume, VolumeMount } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import { ContainerConfigError, containerEnv } from "../env/container-env.ts";
import { expand } from "../env/expansion.ts";
import { type NodeContext, podDir } from "../node-context.ts";
import { RESOURCES_ANNOTATION } from "../pod/allocation.ts";
import { HASH_ANNOTATION } from "../pod/plan-running.ts";
import { type ContainerSpec, containerHash, type PodObject, podUid } from "../pod/pod-object.ts";
import { type ContainerConfig, type ImageStatus, LABELS, type Mount } from "../runtime/runtime.ts";
import { linuxResources } from "./linux-resources.ts";
import { podLabels } from "./sandbox-config.ts";
import { containerSecurity } from "./security.ts";

export const RESTART_COUNT_ANNOTATION = "io.kubernetes.container.restartCount";
export const MESSAGE_PATH_ANNOTATION = "io.kubernetes.container.terminationMessagePath";
export const MESSAGE_POLICY_ANNOTATION = "io.kubernetes.container.terminationMessagePolicy";

export interface ContainerInput {
  readonly pod: PodObject;
  readonly container: ContainerSpec;
  readonly attempt: number;
  readonly image: ImageStatus;
  readonly podIps: readonly string[];
  readonly volumePaths: ReadonlyMap<string, string>;
  readonly allocatable: Readonly<Record<string, string>>;
  readonly targetContainerId?: string | undefined;
}

/** Where the agent keeps the file that the container writes its last words to. */
export function terminationMessageFile(
  context: Pick<NodeContext, "rootDir">,
  uid: string,
  container: { name: string; attempt: number },
): string {
  return `${podDir(context, uid)}/containers/${container.name}/${container.attempt}`;
}

/** Rejects with ContainerConfigError or VolumeError. */
export async function containerConfig(context: NodeContext, input: ContainerInput): Promise<ContainerConfig> {
  const { pod, container, attempt, image } = input;
  const env = await containerEnv({ context, ...input });
  const lookup = (name: string) => env.get(name);
  return {
    name: container.name,
    attempt,
    image: image.id,
    command: (container.command ?? []).map((word) => expand(word, lookup)),
    args: (container.args ?? []).map((word) => expand(word, lookup)),
    workingDir: container.workingDir ?? "",
    env: [...env].map(([name, value]) => ({ name, value })),
    mounts: await mounts(context, input, lookup),
    labels: { ...podLabels(pod), [LABELS.containerName]: container.name },
    annotations: {
      [HASH_ANNOTATION]: containerHash(container),
      [RESOURCES_ANNOTATION]: JSON.stringify(container.resources ?? {}),
      [RESTART_COUNT_ANNOTATION]: String(attempt),
      [MESSAGE_PATH_ANNOTATION]: container.terminationMessagePath ?? "",
      [MESSAGE_POLICY_ANNOTATION]: container.terminationMessagePolicy ?? "File",
    },
    logPath: `${container.name}/${attempt}.log`,
    stdin: container.stdin === true,
    stdinOnce: container.stdinOnce === true,
    tty: container.tty === true,
    ...(container.lifecycle?.stopSignal === undefined ? {} : { stopSignal: container.lifecycle.stopSignal }),
    resources: linuxResources(pod, container.resources, context.memoryBytes),
    security: containerSecurity(context, pod, container, input),
  };
}

async function mounts(
  context: NodeContext,
  input: ContainerInput,
  lookup: (name: string) => string | undefined,
): Promise<readonly Mount[]> {
  const { pod, container, volumePaths } = input;
  const result: Mount[] = [];
  const kept = new Set((pod.spec?.volumes ?? []).filter(isReadOnly).map((volume) => volume.name));
  for (const volumeMount of container.volumeMounts ?? []) {
    const { name, mountPath, readOnly, subPath, subPathExpr, mountPropagation } = volumeMount;
    const hostPath = volumePaths.get(name);
    if (hostPath === undefined) continue;
    const below = subPathExpr === undefined || subPathExpr === "" ? subPath : expand(subPathExpr, lookup);
    result.push({
      containerPath: mountPath.startsWith("/") ? mountPath : `/${mountPath}`,
      hostPath: below === undefined || below === "" ? hostPath : await context.volumes.subPath(pod, name, below),
      readonly: readOnly === true || kept.has(name),
      recursiveReadOnly: isRecursivelyReadOnly(context, volumeMount),
      propagation: propagationOf(mountPropagation),
    });
  }
  return [...result, ...(await ownMounts(context, input, result))];
}

/** What the agent or an image fills is not for containers to change: the agent trusts what it finds there. */
function isReadOnly({ configMap, downwardAPI, image, projected, secret }: DeepReadonly<Volume>): boolean {
  return [configMap, downwardAPI, image, projected, secret].some((source) => source !== undefined);
}

/** Throws ContainerConfigError when the pod insists on what the runtime cannot do. */
function isRecursivelyReadOnly(
  { runtimeStatus }: Pick<NodeContext, "runtimeStatus">,
  { name, recursiveReadOnly }: DeepReadonly<VolumeMount>,
): boolean {
  if (recursiveReadOnly !== "Enabled" && recursiveReadOnly !== "IfPossible") return false;
  const isSupported = (runtimeStatus()?.handlers ?? []).some((handler) => handler.name === "" && handler.recursiveReadOnlyMounts);
  if (isSupported || recursiveReadOnly === "IfPossible") return isSupported;
  throw new ContainerConfigError(`volume "${name}" requested recursive read-only mode, but it is not supported by the runtime`);
}

function propagationOf(mode: string | undefined): Mount["propagation"] {
  if (mode === "HostToContainer") return "HOST_TO_CONTAINER";
  return mode === "Bidirectional" ? "BIDIRECTIONAL" : "PRIVATE";
}

/** The files that the agent itself puts into every container. */
async function ownMounts(context: NodeContext, input: ContainerInput, given: readonly Mount[]): Promise<readonly Mount[]> {
  const { pod, container, attempt } = input;
  const result: Mount[] = [];
  const add = (containerPath: string, hostPath: string) => {
    if (!given.some((mount) => mount.containerPath === containerPath)) {
      result.push({ containerPath, hostPath, readonly: false, propagation: "PRIVATE" });
    }
  };
  add("/etc/hosts", `${podDir(context, podUid(pod))}/etc-hosts`);
  const messagePath = container.terminationMessagePath ?? "";
  if (messagePath !== "") {
    const file = terminationMessageFile(context, podUid(pod), { name: container.name, attempt });
    await context.files.write(file, "", 0o666);
    add(messagePath, file);
  }
  return result;
}
