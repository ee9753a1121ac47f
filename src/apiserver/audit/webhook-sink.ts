// Sends audit events to a webhook, in batches.
import type { Clock, Logger, Timer } from "../../base/index.ts";
import type { AuditSink } from "./auditor.ts";

export interface WebhookSinkOptions {
  /** Sends one EventList; rejects when the webhook did not take it. */
  readonly post: (body: object) => Promise<unknown>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Upstream's values of the batching options. */
const MAX_BATCH = 400;
const MAX_WAITING = 10_000;
const MAX_DELAY_MS = 30_000;
const RETRY_MS = 10_000;
const MAX_TRIES = 3;

export class WebhookSink implements AuditSink {
  readonly #options: WebhookSinkOptions;
  readonly #waiting: object[] = [];
  #timer: Timer | undefined;
  #isSending = false;

  constructor(options: WebhookSinkOptions) {
    this.#options = options;
  }

  /** Events beyond what may wait are lost: a webhook that is down must not take the server with it. */
  write(event: object): void {
    const { clock, logger } = this.#options;
    if (this.#waiting.length >= MAX_WAITING) {
      logger.warn("an audit event is lost: too many wait for the webhook");
      return;
    }
    this.#waiting.push(event);
    if (this.#waiting.length >= MAX_BATCH) void this.#send();
    else this.#timer ??= clock.setTimeout(() => void this.#send(), MAX_DELAY_MS);
  }

  async #send(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#isSending) return;
    this.#isSending = true;
    while (this.#waiting.length > 0) await this.#sendBatch(this.#waiting.splice(0, MAX_BATCH));
    this.#isSending = false;
  }

  async #sendBatch(items: readonly object[]): Promise<void> {
    const { post, clock, logger } = this.#options;
    for (let attempt = 1; ; attempt++) {
      try {
        await post({ kind: "EventList", apiVersion: "audit.k8s.io/v1", metadata: {}, items });
        return;
      } catch (error) {
        if (attempt === MAX_TRIES) {
          logger.warn("audit events are lost: the webhook does not take them", { events: items.length, error });
          return;
        }
        await clock.sleep(RETRY_MS);
      }
    }
  }
}
