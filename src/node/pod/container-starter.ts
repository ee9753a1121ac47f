// Carries out the start of one container: image, configuration, create, start, postStart hook.
import type { Secret } from "../../api/types/core/v1.ts";
import { type DeepReadonly, isNotFound } from "../../machinery/index.ts";
import { containerConfig } from "../containers/container-config.ts";
import { sandboxConfig } from "../containers/sandbox-config.ts";
import { ContainerConfigError } from "../env/container-env.ts";
import { runHook } from "../hooks/lifecycle-hook.ts";
import { credentialsFor, nodeCredentialsFor } from "../images/credentials.ts";
import { ImageError } from "../images/image-puller.ts";
import type { NodeContext } from "../node-context.ts";
import type { SandboxStatus } from "../runtime/runtime.ts";
import { VolumeError } from "../volumes/volume-manager.ts";
import { containerReference, podReference } from "./pod-events.ts";
import { type ContainerSpec, type PodObject, podUid } from "./pod-object.ts";

export interface StartInput {
  readonly pod: PodObject;
  readonly container: ContainerSpec;
  readonly attempt: number;
  readonly sandbox: SandboxStatus;
  readonly podIps: readonly string[];
  readonly cgroupParent: string;
  readonly volumePaths: ReadonlyMap<string, string>;
  readonly allocatable: Readonly<Record<string, string>>;
  /** The container whose processes an ephemeral container is to see. */
  readonly targetContainerId?: string | undefined;
  /** Nothing more is to begin. */
  readonly signal: AbortSignal;
  /** What has begun is not to be waited for either. */
  readonly impatience: AbortSignal;
}

/** Why a container did not start: its waiting state. */
export class StartError extends Error {
  readonly code = "START";
  readonly reason: string;
  readonly retryAfterMs: number;

  constructor(reason: string, message: string, options: ErrorOptions & { readonly retryAfterMs?: number }) {
    super(message, options);
    this.reason = reason;
    this.retryAfterMs = options.retryAfterMs ?? RETRY_MS;
  }
}

/** How soon a start that failed for want of something is tried again. */
const RETRY_MS = 10_000;

/** Resolves when the container runs and its postStart hook is done; rejects with StartError. */
export async function startContainer(context: NodeContext, input: StartInput): Promise<void> {
  const { pod, container, attempt, sandbox, signal, impatience } = input;
  const report = (type: "Normal" | "Warning", reason: string, message: string) =>
    context.events.event(containerReference(pod, container), type, reason, message);
  const image = await pullImage(context, { pod, image: container.image ?? "", policy: container.imagePullPolicy, signal, report });
  const config = await attemptStep("CreateContainerConfigError", report, () => containerConfig(context, { ...input, image }));
  signal.throwIfAborted();
  const id = await attemptStep("CreateContainerError", report, async () => {
    const made = await sandboxConfig(context, pod, { attempt: sandbox.attempt, cgroupParent: input.cgroupParent });
    await context.files.makeDirectory(`${made.logDirectory}/${container.name}`);
    return context.runtime.createContainer(sandbox.id, { ...config, attempt }, made, impatience);
  });
  signal.throwIfAborted();
  report("Normal", "Created", "Container created");
  await attemptStep("RunContainerError", report, () => context.runtime.startContainer(id, impatience));
  report("Normal", "Started", "Container started");
  await postStart(context, input, { id, report });
}

type Report = (type: "Normal" | "Warning", reason: string, message: string) => void;

async function attemptStep<T>(reason: string, report: Report, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const shown = error instanceof ContainerConfigError || error instanceof VolumeError ? "CreateContainerConfigError" : reason;
    report("Warning", "Failed", `Error: ${message}`);
    throw new StartError(shown, message, { cause: error });
  }
}

export interface ImageRequest {
  readonly pod: PodObject;
  readonly image: string;
  readonly policy: string | undefined;
  readonly signal: AbortSignal;
  readonly report: Report;
}

/** The image, on the node, by its pull policy and with the pod's credentials; rejects with StartError. */
export async function pullImage(context: NodeContext, { pod, image, policy = "IfNotPresent", signal, report }: ImageRequest) {
  try {
    const { secrets, missing } = await pullSecrets(context, pod);
    if (missing.length > 0) reportMissing(context, pod, missing);
    const nodeConfig = (await context.files.read(`${context.rootDir}/config.json`)) ?? "";
    const credentials = [...credentialsFor(image, secrets), ...nodeCredentialsFor(image, nodeConfig)];
    return await context.images.ensure({ image, policy, podUid: podUid(pod), credentials, report, signal });
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    report("Warning", "Failed", `Error: ${error.reason}`);
    throw new StartError(error.reason, error.message, { cause: error, retryAfterMs: error.retryAfterMs });
  }
}

interface PullSecrets {
  readonly secrets: readonly DeepReadonly<Secret>[];
  /** Names of secrets that do not exist: perhaps the image can be had without. */
  readonly missing: readonly string[];
}

async function pullSecrets(context: NodeContext, pod: PodObject): Promise<PullSecrets> {
  const names = (pod.spec?.imagePullSecrets ?? []).flatMap(({ name }) => (name === undefined ? [] : [name]));
  const found = await Promise.all(
    names.map(async (name) => {
      try {
        return await context.objects.secret(pod.metadata.namespace ?? "", name);
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw new ImageError("ErrImagePull", `cannot read pull secret "${name}"`, { cause: error, retryAfterMs: RETRY_MS });
      }
    }),
  );
  return { secrets: found.filter((secret) => secret !== undefined), missing: names.filter((_, index) => found[index] === undefined) };
}

function reportMissing({ events }: NodeContext, pod: PodObject, missing: readonly string[]): void {
  const message = `Unable to retrieve some image pull secrets (${missing.join(", ")}); attempting to pull the image may not succeed.`;
  events.event(podReference(pod), "Warning", "FailedToRetrieveImagePullSecret", message);
}

async function postStart(context: NodeContext, input: StartInput, { id, report }: { id: string; report: Report }): Promise<void> {
  const { container, podIps, pod, signal } = input;
  const handler = container.lifecycle?.postStart;
  if (handler === undefined) return;
  try {
    await runHook(context, handler, { container, containerId: id, podIp: podIps[0] ?? "", signal });
  } catch (error) {
    signal.throwIfAborted();
    const text = error instanceof Error ? error.message : String(error);
    report("Warning", "FailedPostStartHook", `PostStartHook failed: ${text}`);
    report("Normal", "Killing", "FailedPostStartHook");
    await context.runtime.stopContainer(id, pod.spec?.terminationGracePeriodSeconds ?? 30, {
      signal,
      stopSignal: container.lifecycle?.stopSignal,
    });
    throw new StartError("PostStartHookError", `PostStartHook failed: ${text}`, { cause: error, retryAfterMs: 0 });
  }
}
