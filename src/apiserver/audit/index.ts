export { Auditor, type AuditorOptions, type AuditRecord, type AuditSink } from "./auditor.ts";
export { type AuditPolicy, checkPolicy } from "./policy.ts";
export { WebhookSink } from "./webhook-sink.ts";
