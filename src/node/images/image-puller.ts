// Brings a container's image to the node by its pull policy, with back-off after failures.
import { Backoff, type Clock } from "../../base/index.ts";
import { formatDuration } from "../pod/pod-object.ts";
import { type ImageStatus, type RegistryAuth, type Runtime, RuntimeError } from "../runtime/runtime.ts";
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
  readonly credentials: readonly RegistryAuth[];
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

export class ImagePuller {
  readonly #runtime: Runtime;
  readonly #clock: Clock;
  readonly #backoff: Backoff<string>;
  readonly #isLoaded: IsLoaded;
  readonly #slots = new Slots(PARALLEL_PULLS);

  constructor(runtime: Runtime, clock: Clock, isLoaded: IsLoaded = () => false) {
    this.#runtime = runtime;
    this.#clock = clock;
    this.#backoff = new Backoff(clock, BACKOFF);
    this.#isLoaded = isLoaded;
  }

  /** The image, present on the node; rejects with ImageError. */
  async ensure(request: PullRequest): Promise<ImageStatus> {
    const { image, policy, report, signal } = request;
    const present = await this.#inspect(image, signal);
    // DEVIATION: upstream pulls an image of policy Always even when it was put on the node by hand, and fails offline.
    if (present !== undefined && (policy !== "Always" || this.#isLoaded(image))) {
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

  async #pull(request: PullRequest): Promise<ImageStatus> {
    const { image, podUid, report, signal } = request;
    const key = `${podUid}/${image}`;
    const askedAtMs = this.#clock.monotonic();
    report("Normal", "Pulling", `Pulling image "${image}"`);
    const release = await this.#slots.take(signal);
    const startedAtMs = this.#clock.monotonic();
    try {
      const ref = await this.#tryCredentials(request);
      const status = (await this.#runtime.imageStatus(image, signal)) ?? (await this.#runtime.imageStatus(ref, signal));
      if (status === undefined) throw new RuntimeError("IMAGE_PULL", `image "${image}" not found after it was pulled`);
      this.#backoff.reset(key);
      const took = formatDuration(this.#clock.monotonic() - startedAtMs);
      const waited = formatDuration(this.#clock.monotonic() - askedAtMs);
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

  async #tryCredentials({ image, credentials, signal }: PullRequest): Promise<string> {
    let failure: unknown;
    for (const auth of credentials.length === 0 ? [undefined] : credentials) {
      try {
        return await this.#runtime.pullImage(image, auth, signal);
      } catch (error) {
        signal?.throwIfAborted();
        failure = error;
      }
    }
    throw failure;
  }

  async #inspect(image: string, signal: AbortSignal | undefined): Promise<ImageStatus | undefined> {
    try {
      return await this.#runtime.imageStatus(image, signal);
    } catch (error) {
      signal?.throwIfAborted();
      const text = error instanceof Error ? error.message : String(error);
      throw new ImageError("ImageInspectError", `Failed to inspect image "${image}": ${text}`, { cause: error, retryAfterMs: RETRY_MS });
    }
  }
}
