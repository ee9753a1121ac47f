// Brings a container's image to the node by its pull policy, with back-off after failures.
import { Backoff, type Clock } from "../../base/index.ts";
import { formatDuration } from "../pod/pod-object.ts";
import { type ImageStatus, type Runtime, RuntimeError } from "../runtime/runtime.ts";
import type { PullCredential } from "./credentials.ts";
import type { PullRecords } from "./pull-records.ts";
import { Slots } from "./slots.ts";

/** What a waiting container is said to wait for. */
export class ImageError extends Error {
  readonly code = "IMAGE";
  readonly reason: "ErrImagePull" | "ImagePullBackOff" | "ErrImageNeverPull" | "InvalidImageName" | "ImageInspectError";
  /** When the next pull may be tried. */
  readonly retryAfterMs: number;

  constructor(reason: ImageError["reason"], message: string, options: ErrorOptions & { retryAfterMs: number }) {
    super(message, options);
    this.reason = reason;
    this.retryAfterMs = options.retryAfterMs;
  }
}

export interface PullRequest {
  readonly image: string;
  readonly policy: string;
  /** Back-off is counted for each pod and image. */
  readonly podUid: string;
  readonly credentials: readonly PullCredential[];
  readonly report: (type: "Normal" | "Warning", reason: string, message: string) => void;
  readonly signal?: AbortSignal | undefined;
}

const BACKOFF = { initialMs: 10_000, maxMs: 300_000 } as const;
/** How many images are pulled at a time: more would only share the same line and disk. */
const PARALLEL_PULLS = 5;
/** How soon a failure that has no back-off of its own is looked at again. */
const RETRY_MS = 10_000;

/** Whether an administrator put the image on this node; which one it is then is the administrator's word, not a registry's. */
export type IsLoaded = (image: string) => boolean;

export interface ImagePullerOptions {
  readonly runtime: Pick<Runtime, "imageStatus" | "pullImage">;
  readonly clock: Clock;
  readonly records: PullRecords;
  /** Default: none was. */
  readonly isLoaded?: IsLoaded | undefined;
}

export class ImagePuller {
  readonly #options: ImagePullerOptions;
  readonly #backoff: Backoff<string>;
  readonly #slots = new Slots(PARALLEL_PULLS);

  constructor(options: ImagePullerOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.clock, BACKOFF);
  }

  /** The image, present on the node; rejects with ImageError. */
  async ensure(request: PullRequest): Promise<ImageStatus> {
    const { image, policy, report, signal } = request;
    const present = await this.#inspect(image, signal);
    if (present !== undefined && (await this.#isUsable(request, present))) {
      report("Normal", "Pulled", `Container image "${image}" already present on machine and can be accessed by the pod`);
      return present;
    }
    if (policy === "Never") {
      const message = `Container image "${image}" is not present with pull policy of Never`;
      report("Warning", "ErrImageNeverPull", message);
      throw new ImageError("ErrImageNeverPull", message, { retryAfterMs: RETRY_MS });
    }
    return this.#pull(request);
  }

  /** Whether the image that is here serves the pod, without asking the registry. */
  async #isUsable({ image, policy, credentials }: PullRequest, present: ImageStatus): Promise<boolean> {
    const { isLoaded, records } = this.#options;
    // DEVIATION: upstream pulls an image of policy Always even when it was put on the node by hand, and fails offline; and
    // it takes such a one away from pods once somebody has pulled the same image under another name.
    if (isLoaded?.(image) === true) return true;
    return policy !== "Always" && !(await records.mustPull(image, present.id, credentials));
  }

  async #pull(request: PullRequest): Promise<ImageStatus> {
    const { clock } = this.#options;
    const { image, podUid, report, signal } = request;
    const key = `${podUid}/${image}`;
    const askedAtMs = clock.monotonic();
    report("Normal", "Pulling", `Pulling image "${image}"`);
    const release = await this.#slots.take(signal);
    const startedAtMs = clock.monotonic();
    try {
      const status = await this.#pullRecorded(request);
      this.#backoff.reset(key);
      const took = formatDuration(clock.monotonic() - startedAtMs);
      const waited = formatDuration(clock.monotonic() - askedAtMs);
      report(
        "Normal",
        "Pulled",
        `Successfully pulled image "${image}" in ${took} (${waited} including waiting). Image size: ${status.sizeBytes} bytes.`,
      );
      return status;
    } catch (error) {
      signal?.throwIfAborted();
      const text = error instanceof Error ? error.message : String(error);
      report("Warning", "Failed", `Failed to pull image "${image}": ${text}`);
      throw new ImageError("ErrImagePull", text, { cause: error, retryAfterMs: this.#backoff.next(key) });
    } finally {
      release();
    }
  }

  async #pullRecorded(request: PullRequest): Promise<ImageStatus> {
    const { records, runtime } = this.#options;
    const { image, signal } = request;
    await records.begin(image);
    let done: Parameters<PullRecords["end"]>[1];
    try {
      const { ref, credential } = await this.#tryCredentials(request);
      const status = (await runtime.imageStatus(image, signal)) ?? (await runtime.imageStatus(ref, signal));
      if (status === undefined) throw new RuntimeError("IMAGE_PULL", `image "${image}" not found after it was pulled`);
      done = { id: status.id, credential };
      return status;
    } finally {
      await records.end(image, done);
    }
  }

  async #tryCredentials({ image, credentials, signal }: PullRequest) {
    let failure: unknown;
    for (const credential of credentials.length === 0 ? [undefined] : credentials) {
      try {
        return { ref: await this.#options.runtime.pullImage(image, credential?.auth, signal), credential };
      } catch (error) {
        signal?.throwIfAborted();
        failure = error;
      }
    }
    throw failure;
  }

  async #inspect(image: string, signal: AbortSignal | undefined): Promise<ImageStatus | undefined> {
    try {
      return await this.#options.runtime.imageStatus(image, signal);
    } catch (error) {
      signal?.throwIfAborted();
      const text = error instanceof Error ? error.message : String(error);
      throw new ImageError("ImageInspectError", `Failed to inspect image "${image}": ${text}`, { cause: error, retryAfterMs: RETRY_MS });
    }
  }
}
