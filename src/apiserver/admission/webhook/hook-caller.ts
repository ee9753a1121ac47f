// Asks one webhook about one request: whether it wants to see it, then what it says, and what its failure means.
import type { Resource } from "../../../api/index.ts";
import { uuid } from "../../../base/index.ts";
import { badRequest, forbidden, internalError } from "../../../machinery/index.ts";
import type { Authorizer } from "../../authz/authorizer.ts";
import { WebhookCallError, type WebhookClient } from "../../webhooks/index.ts";
import type { AdmissionRequest } from "../admission.ts";
import { celVariables } from "../matching/cel-variables.ts";
import { evaluateConditions } from "../matching/match-conditions.ts";
import type { MatcherView } from "../matching/matcher.ts";
import { evaluatePatiently } from "../matching/patient-authorizer.ts";
import { nameOfRequest } from "../matching/request-identity.ts";
import type { Hook } from "./hooks.ts";
import { denial, InvalidReviewError, type ReviewResult, readReview, reviewOf, reviewVersion } from "./review.ts";

export interface HookTools extends MatcherView {
  readonly authorizer: Authorizer;
  readonly webhooks: WebhookClient;
}

const DEFAULT_TIMEOUT_SECONDS = 10;

export class HookCaller {
  readonly #tools: HookTools;
  readonly #canPatch: boolean;

  constructor(tools: HookTools, { canPatch }: { readonly canPatch: boolean }) {
    this.#tools = tools;
    this.#canPatch = canPatch;
  }

  /** The resource as which the webhook wants to see the request; undefined when it does not. Throws when that cannot be told. */
  async wanted(hook: Hook, request: AdmissionRequest): Promise<Resource | undefined> {
    const shown = await hook.matcher.match(request);
    const conditions = shown === undefined ? [] : hook.conditions();
    if (shown === undefined || conditions.length === 0) return shown;
    const variables = await celVariables(request, shown, this.#tools.authorizer);
    const { matches, error } = await evaluatePatiently(() => evaluateConditions(conditions, variables));
    if (error === undefined) return matches ? shown : undefined;
    if (hook.webhook.failurePolicy === "Ignore") return undefined;
    throw forbidden(request.scope.resource, nameOfRequest(request), error);
  }

  /** What the webhook says; undefined when it failed, which its failurePolicy ignores. Throws the denial. */
  async ask({ webhook }: Hook, request: AdmissionRequest, shown: Resource): Promise<ReviewResult | undefined> {
    const { name, sideEffects, failurePolicy } = webhook;
    if (request.isDryRun && sideEffects !== "None" && sideEffects !== "NoneOnDryRun") {
      throw badRequest(`admission webhook "${name}" does not support dry run`);
    }
    let result: ReviewResult;
    try {
      result = await this.#call(webhook, request, shown);
    } catch (error) {
      const what = failureText(error);
      if (what === undefined) throw error;
      if (failurePolicy === "Ignore") return undefined;
      throw internalError(new Error(`failed calling webhook "${name}": ${what}`, { cause: error }));
    }
    for (const warning of result.warnings) request.scope.warn?.(warning);
    for (const [key, value] of Object.entries(result.auditAnnotations)) request.scope.annotate?.(`${name}/${key}`, value);
    if (!result.allowed) throw denial(name, result.status);
    return result;
  }

  async #call(webhook: Hook["webhook"], request: AdmissionRequest, shown: Resource): Promise<ReviewResult> {
    const version = reviewVersion(webhook.admissionReviewVersions);
    const review = await reviewOf(request, shown, { uid: uuid(this.#tools.random), version });
    const timeoutMs = (webhook.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS) * 1000;
    const answer = await this.#tools.webhooks.call(webhook.clientConfig, review, { timeoutMs, signal: request.scope.signal });
    return readReview(answer, review, { canPatch: this.#canPatch });
  }
}

/** Undefined for errors that are not the webhook's. */
function failureText(error: unknown): string | undefined {
  if (error instanceof WebhookCallError) return `failed to call webhook: ${error.message}`;
  return error instanceof InvalidReviewError ? `received invalid webhook response: ${error.message}` : undefined;
}
