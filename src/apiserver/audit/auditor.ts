// Records requests as the policy wants it: an event at each stage, handed to the sinks.
import type { UserInfo } from "../../api/index.ts";
import { type Clock, formatMicroTime } from "../../base/index.ts";
import type { Status } from "../../machinery/index.ts";
import { type FrontRequest, header } from "../front/exchange.ts";
import type { RequestInfo } from "../front/request-info.ts";
import { type AuditDecision, type AuditPolicy, type AuditStage, decide, isAtLeast } from "./policy.ts";

/** Where events go. It must not be slow: it is called while requests are answered. */
export interface AuditSink {
  /** An Event of audit.k8s.io/v1. */
  write(event: object): void;
}

/** What is known of a request before it is answered. */
export interface AuditSubject {
  readonly auditId: string;
  readonly request: Pick<FrontRequest, "headers" | "url" | "socket">;
  readonly info: RequestInfo;
  /** Who was authenticated; undefined for those who were not. */
  readonly user: UserInfo | undefined;
  /** Whom the request acts as, if that is someone else. */
  readonly impersonated?: UserInfo | undefined;
}

/** One request's record. */
export interface AuditRecord {
  /** What was sent, and what is answered: kept only where the policy wants it. */
  sawRequest(object: object): void;
  sawResponse(object: object): void;
  annotate(key: string, value: string): void;
  /** The answer has begun and will go on for long. */
  started(code: number): void;
  /** The answer is over; `failure` is the Status of one that failed. */
  completed(code: number, failure: Status | undefined): void;
}

export interface AuditorOptions {
  readonly policy: AuditPolicy;
  readonly sinks: readonly AuditSink[];
  readonly clock: Pick<Clock, "now">;
}

export class Auditor {
  readonly #options: AuditorOptions;

  constructor(options: AuditorOptions) {
    this.#options = options;
  }

  /** Begins to record a request; undefined when the policy does not want it. */
  begin(subject: AuditSubject): AuditRecord | undefined {
    const { policy, sinks, clock } = this.#options;
    const decision = decide(policy, subject.user, subject.info);
    return decision.level === "None" ? undefined : new Recording(subject, decision, { sinks, clock });
  }
}

class Recording implements AuditRecord {
  readonly #subject: AuditSubject;
  readonly #decision: AuditDecision;
  readonly #options: Pick<AuditorOptions, "sinks" | "clock">;
  readonly #receivedMs: number;
  readonly #annotations: Record<string, string> = {};
  #request: object | undefined;
  #response: object | undefined;

  constructor(subject: AuditSubject, decision: AuditDecision, options: Pick<AuditorOptions, "sinks" | "clock">) {
    this.#subject = subject;
    this.#decision = decision;
    this.#options = options;
    this.#receivedMs = options.clock.now();
    this.#write("RequestReceived", {});
  }

  sawRequest(object: object): void {
    if (isAtLeast(this.#decision.level, "Request")) this.#request = this.#told(object);
  }

  sawResponse(object: object): void {
    if (isAtLeast(this.#decision.level, "RequestResponse")) this.#response = this.#told(object);
  }

  annotate(key: string, value: string): void {
    this.#annotations[key] ??= value;
  }

  started(code: number): void {
    this.#write("ResponseStarted", { responseStatus: { metadata: {}, code } });
  }

  completed(code: number, failure: Status | undefined): void {
    const status = failure === undefined ? {} : { status: failure.status, message: failure.message, reason: failure.reason };
    const response = failure !== undefined && isAtLeast(this.#decision.level, "RequestResponse") ? failure : this.#response;
    this.#write("ResponseComplete", {
      responseStatus: { metadata: {}, ...status, code },
      ...(this.#request === undefined ? {} : { requestObject: this.#request }),
      ...(response === undefined ? {} : { responseObject: response }),
      ...(Object.keys(this.#annotations).length === 0 ? {} : { annotations: this.#annotations }),
    });
  }

  /** What is told of an object: managed fields are left out where the policy says so. */
  #told(object: object): object {
    if (!this.#decision.omitManagedFields) return object;
    const { metadata, items } = object as { metadata?: object; items?: readonly object[] };
    const own = metadata === undefined ? {} : { metadata: { ...metadata, managedFields: undefined } };
    return { ...object, ...own, ...(items === undefined ? {} : { items: items.map((item) => this.#told(item)) }) };
  }

  #write(stage: AuditStage, more: object): void {
    if (this.#decision.omitStages.has(stage)) return;
    const { auditId, request, info, user, impersonated } = this.#subject;
    const event = {
      kind: "Event",
      apiVersion: "audit.k8s.io/v1",
      level: this.#decision.level,
      auditID: auditId,
      stage,
      requestURI: request.url ?? "",
      verb: info.verb,
      user: user === undefined ? {} : userOf(user),
      ...(impersonated === undefined ? {} : { impersonatedUser: userOf(impersonated) }),
      sourceIPs: sourceAddresses(request),
      userAgent: header(request as FrontRequest, "user-agent") ?? "",
      ...(info.isResource ? { objectRef: objectRef(info) } : {}),
      ...more,
      requestReceivedTimestamp: formatMicroTime(this.#receivedMs),
      stageTimestamp: formatMicroTime(this.#options.clock.now()),
    };
    for (const sink of this.#options.sinks) sink.write(event);
  }
}

function userOf({ name, uid, groups, extra }: UserInfo): object {
  return { username: name, ...(uid === undefined ? {} : { uid }), groups, ...(extra === undefined ? {} : { extra }) };
}

function objectRef({ resource, namespace, name, group, version, subresource }: RequestInfo): object {
  const given = { resource, namespace, name, apiGroup: group, apiVersion: version, subresource };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ""));
}

/** What proxies tell, then who is connected. */
function sourceAddresses(request: AuditSubject["request"]): string[] {
  const told =
    header(request as FrontRequest, "x-forwarded-for")
      ?.split(",")
      .map((address) => address.trim()) ?? [];
  const { remoteAddress } = request.socket as { readonly remoteAddress?: string };
  return [...new Set([...told, ...(remoteAddress === undefined ? [] : [remoteAddress])])].filter((address) => address !== "");
}
