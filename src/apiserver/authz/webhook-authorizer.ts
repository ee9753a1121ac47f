// Another server decides: it is sent a SubjectAccessReview, and its word is kept for a while.
// @see kubernetes `apiserver/plugin/pkg/authorizer/webhook/webhook.go`
import type { Clock, Logger } from "../../base/index.ts";
import { type CompiledCondition, evaluateConditions } from "../admission/matching/match-conditions.ts";
import { FetchError, type JsonFetcher, type JsonRequest } from "../webhooks/fetch-json.ts";
import type { AuthorizationAttributes, Authorizer, Decision, SubjectRules } from "./authorizer.ts";
import { conditionVariables, reviewIn, reviewSpec } from "./subject-access-review.ts";

export interface WebhookAuthorizerConfig {
  readonly name: string;
  /** Where it is, and how it knows this server. */
  readonly connection: Pick<JsonRequest, "url" | "ca" | "clientCertificate" | "bearerToken">;
  readonly version: "v1" | "v1beta1";
  readonly timeoutMs: number;
  /** For how long an answer is believed; 0: every question is asked. */
  readonly authorizedTtlMs: number;
  readonly unauthorizedTtlMs: number;
  /** What it means that the webhook cannot be asked or its conditions cannot be judged. */
  readonly failurePolicy: "NoOpinion" | "Deny";
  /** All must hold for the webhook to be asked. */
  readonly conditions: readonly CompiledCondition[];
}

export interface WebhookAuthorizerOptions {
  readonly config: WebhookAuthorizerConfig;
  readonly fetchJson: JsonFetcher;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface ReviewStatus {
  readonly allowed?: boolean;
  readonly denied?: boolean;
  readonly reason?: string;
}

/** Upstream's values: how many answers are kept, how long what a requester chooses may be to be kept, how often is tried. */
const CACHE_LIMIT = 8192;
const MAX_CACHED_LENGTH = 10_000;
const MAX_TRIES = 5;
const FIRST_RETRY_MS = 500;
const RETRY_FACTOR = 1.5;

const noOpinion: Decision = { allowed: false, reason: "" };

export class WebhookAuthorizer implements Authorizer {
  readonly #options: WebhookAuthorizerOptions;
  /** By the question; the oldest is first. */
  readonly #known = new Map<string, { readonly decision: Decision; readonly untilMs: number }>();

  constructor(options: WebhookAuthorizerOptions) {
    this.#options = options;
  }

  authorize(attributes: AuthorizationAttributes): Decision | Promise<Decision> {
    const { conditions } = this.#options.config;
    if (conditions.length > 0) {
      const { matches, error } = evaluateConditions(conditions, conditionVariables(attributes));
      if (error !== undefined) return this.#failed(`cel evaluation error: ${error}`);
      if (!matches) return noOpinion;
    }
    const key = JSON.stringify(reviewSpec(attributes));
    const known = this.#known.get(key);
    if (known !== undefined && this.#options.clock.now() < known.untilMs) return known.decision;
    return this.#ask(attributes, key);
  }

  rulesFor(): SubjectRules {
    const evaluationError = "webhook authorizer does not support user rule resolution";
    return { resourceRules: [], nonResourceRules: [], incomplete: true, evaluationError };
  }

  async #ask(attributes: AuthorizationAttributes, key: string): Promise<Decision> {
    const { name } = this.#options.config;
    let status: ReviewStatus;
    try {
      status = await this.#review(attributes);
    } catch (error) {
      this.#options.logger.error("Failed to make webhook authorizer request", { authorizer: name, error });
      return this.#failed(error instanceof Error ? error.message : String(error));
    }
    const decision = decisionOf(status);
    this.#remember(attributes, key, decision);
    return decision;
  }

  /** Tries again while that may help. */
  async #review(attributes: AuthorizationAttributes): Promise<ReviewStatus> {
    const { config, fetchJson, clock } = this.#options;
    const { connection, version, timeoutMs } = config;
    for (let tries = 1; ; tries++) {
      try {
        const answer = await fetchJson({ ...connection, body: reviewIn(version, reviewSpec(attributes)), timeoutMs });
        return (answer as { status?: ReviewStatus } | null)?.status ?? {};
      } catch (error) {
        if (tries === MAX_TRIES || !mayPass(error)) throw error;
        await clock.sleep(FIRST_RETRY_MS * RETRY_FACTOR ** (tries - 1));
      }
    }
  }

  #failed(error: string): Decision {
    const decision = { allowed: false, reason: "", error };
    return this.#options.config.failurePolicy === "Deny" ? { ...decision, denied: true } : decision;
  }

  #remember({ user: _user, ...chosen }: AuthorizationAttributes, key: string, decision: Decision): void {
    const { config, clock } = this.#options;
    const ttlMs = decision.allowed ? config.authorizedTtlMs : config.unauthorizedTtlMs;
    const length = JSON.stringify(chosen).length;
    if (ttlMs === 0 || length >= MAX_CACHED_LENGTH) return;
    this.#known.delete(key);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size < CACHE_LIMIT) break;
      this.#known.delete(oldest);
    }
    this.#known.set(key, { decision, untilMs: clock.now() + ttlMs });
  }
}

function decisionOf({ allowed = false, denied = false, reason = "" }: ReviewStatus): Decision {
  if (!denied) return { allowed, reason };
  const error = "webhook subject access review returned both allow and deny response";
  return { allowed: false, denied, reason, ...(allowed ? { error } : {}) };
}

/** Whether the same question may find an answer a moment later. */
function mayPass(error: unknown): boolean {
  if (error instanceof FetchError) return error.status === 429 || error.status >= 500;
  return (error as { code?: unknown }).code === "ECONNRESET";
}
