// The audit log as the configuration wants it: its policy, its file, its webhook.
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { type AuditPolicy, type AuditSink, checkPolicy, jsonFetcher, WebhookSink } from "../../apiserver/index.ts";
import type { Clock, Logger } from "../../base/index.ts";
import type { AuditConfig } from "../config/process-config.ts";
import { RotatingFile } from "../system/rotating-file.ts";

const MEGABYTE = 1024 * 1024;
const POST_TIMEOUT_MS = 30_000;

export interface AuditSetUp {
  readonly policy: AuditPolicy;
  readonly sinks: readonly AuditSink[];
}

/** Throws when the policy cannot be read or cannot be meant. */
export function setUpAudit(config: AuditConfig, { clock, logger }: { readonly clock: Clock; readonly logger: Logger }): AuditSetUp {
  const policy = parse(readFileSync(config.policyFile, "utf8")) as AuditPolicy;
  checkPolicy(policy);
  const sinks: AuditSink[] = [];
  if (config.logFile !== undefined) {
    const { logFile: path, maxSizeMb = 100, maxBackups = 10 } = config;
    const file = new RotatingFile({ path, maxBytes: maxSizeMb * MEGABYTE, maxBackups, clock });
    sinks.push({ write: (event) => file.write(JSON.stringify(event)) });
  }
  if (config.webhook !== undefined) {
    const { url, caFile } = config.webhook;
    const fetchJson = jsonFetcher(clock);
    const ca = caFile === undefined ? undefined : readFileSync(caFile, "utf8");
    sinks.push(new WebhookSink({ post: (body) => fetchJson({ url, ca, body, timeoutMs: POST_TIMEOUT_MS }), clock, logger }));
  }
  return { policy, sinks };
}
