// ValidatingWebhookConfiguration and MutatingWebhookConfiguration: defaults, validation, columns.
import { type FieldError, field, validateLabelSelector } from "../../machinery/index.ts";
import { ageColumn, integerColumn, nameColumn } from "../printing/columns.ts";
import type { KindStrategy } from "../strategy.ts";
import type {
  MutatingWebhook,
  MutatingWebhookConfiguration,
  ValidatingWebhook,
  ValidatingWebhookConfiguration,
  WebhookClientConfig,
} from "../types/admissionregistration/v1.ts";
import { checkOneOf } from "../validation/checks.ts";
import { webhookEnvironment } from "./expressions.ts";
import { checkMatchConditions } from "./match-conditions.ts";
import { applyRuleDefaults, validateRules } from "./rules.ts";

type Webhook = ValidatingWebhook & Pick<MutatingWebhook, "reinvocationPolicy">;

function applyWebhookDefaults(webhook: Webhook): void {
  webhook.failurePolicy ??= "Fail";
  webhook.matchPolicy ??= "Equivalent";
  webhook.namespaceSelector ??= {};
  webhook.objectSelector ??= {};
  webhook.timeoutSeconds ??= 10;
  const { service } = webhook.clientConfig ?? {};
  if (service) service.port ??= 443;
  applyRuleDefaults(webhook.rules);
}

function validateClientConfig(errors: FieldError[], path: string, { url, service }: WebhookClientConfig): void {
  if ((url === undefined) === (service === undefined)) {
    errors.push(field.required(path, "exactly one of url or service is required"));
  } else if (url !== undefined) {
    if (!URL.canParse(url)) errors.push(field.required(`${path}.url`, `url must be a valid URL: ${url}`));
    else if (new URL(url).protocol !== "https:") {
      errors.push(field.invalid(`${path}.url`, url, `'https' is the only allowed URL scheme; desired format: https://host[/path]`));
    }
  } else {
    if (!service?.name) errors.push(field.required(`${path}.service.name`, "service name is required"));
    if (!service?.namespace) errors.push(field.required(`${path}.service.namespace`, "service namespace is required"));
  }
}

function validateWebhook(errors: FieldError[], path: string, webhook: Webhook): void {
  if (!webhook.name || webhook.name.split(".").length < 3) {
    errors.push(field.invalid(`${path}.name`, webhook.name, "should be a domain with at least three segments separated by dots"));
  }
  if (!webhook.admissionReviewVersions?.length) {
    errors.push(field.required(`${path}.admissionReviewVersions`, "must specify one of v1, v1beta1"));
  } else if (!webhook.admissionReviewVersions.some((version) => version === "v1" || version === "v1beta1")) {
    const detail = "must include at least one of v1, v1beta1";
    errors.push(field.invalid(`${path}.admissionReviewVersions`, webhook.admissionReviewVersions, detail));
  }
  validateRules(errors, `${path}.rules`, webhook.rules);
  checkOneOf(errors, `${path}.failurePolicy`, webhook.failurePolicy, ["Fail", "Ignore"]);
  checkOneOf(errors, `${path}.matchPolicy`, webhook.matchPolicy, ["Equivalent", "Exact"]);
  checkOneOf(errors, `${path}.reinvocationPolicy`, webhook.reinvocationPolicy, ["IfNeeded", "Never"]);
  if (!webhook.sideEffects) errors.push(field.required(`${path}.sideEffects`, "must specify one of None, NoneOnDryRun"));
  else checkOneOf(errors, `${path}.sideEffects`, webhook.sideEffects, ["None", "NoneOnDryRun"]);
  const seconds = webhook.timeoutSeconds;
  if (seconds !== undefined && (seconds < 1 || seconds > 30)) {
    errors.push(field.invalid(`${path}.timeoutSeconds`, seconds, "the timeout value must be between 1 and 30 seconds"));
  }
  errors.push(...validateLabelSelector(webhook.namespaceSelector, `${path}.namespaceSelector`));
  errors.push(...validateLabelSelector(webhook.objectSelector, `${path}.objectSelector`));
  checkMatchConditions(errors, `${path}.matchConditions`, webhook.matchConditions, webhookEnvironment);
  validateClientConfig(errors, `${path}.clientConfig`, webhook.clientConfig ?? {});
}

function validateAll(webhooks: readonly Webhook[] = []): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  webhooks.forEach((webhook, i) => {
    validateWebhook(errors, `webhooks[${i}]`, webhook);
    if (names.has(webhook.name)) errors.push(field.duplicate(`webhooks[${i}].name`, webhook.name));
    names.add(webhook.name);
  });
  return errors;
}

export const validatingWebhookConfigurationStrategy: KindStrategy<ValidatingWebhookConfiguration> = {
  applyDefaults({ webhooks }) {
    for (const webhook of webhooks ?? []) applyWebhookDefaults(webhook);
  },
  validate: ({ webhooks }) => validateAll(webhooks),
  hasGeneration: true,
  columns: [nameColumn, integerColumn("Webhooks", ({ webhooks }) => webhooks?.length ?? 0), ageColumn],
};

export const mutatingWebhookConfigurationStrategy: KindStrategy<MutatingWebhookConfiguration> = {
  applyDefaults({ webhooks }) {
    for (const webhook of webhooks ?? []) {
      applyWebhookDefaults(webhook);
      webhook.reinvocationPolicy ??= "Never";
    }
  },
  validate: ({ webhooks }) => validateAll(webhooks),
  hasGeneration: true,
  columns: [nameColumn, integerColumn("Webhooks", ({ webhooks }) => webhooks?.length ?? 0), ageColumn],
};
