// The audit record of one request, from its authentication to the end of its answer. Costs nothing where nothing is recorded.
import type { UserInfo } from "../../api/index.ts";
import type { Auditor, AuditRecord } from "../audit/index.ts";
import type { FrontRequest, FrontResponse } from "./exchange.ts";
import type { RequestInfo } from "./request-info.ts";
import { statusOf } from "./respond.ts";

export interface RecordedRequest {
  readonly auditId: string;
  readonly request: FrontRequest;
  /** undefined when the URL makes no sense. */
  readonly info: RequestInfo | undefined;
}

export class Recording {
  readonly #auditor: Auditor | undefined;
  readonly #response: FrontResponse;
  readonly #recorded: RecordedRequest;
  #hasBegun = false;
  #failure: unknown;

  constructor(auditor: Auditor | undefined, response: FrontResponse, recorded: RecordedRequest) {
    this.#auditor = auditor;
    this.#response = response;
    this.#recorded = recorded;
  }

  /** Who asks is known: the record begins, if the policy wants one, and ends with the answer. */
  begin(authenticated: UserInfo | undefined, user: UserInfo | undefined): AuditRecord | undefined {
    this.#hasBegun = true;
    const { auditId, request, info } = this.#recorded;
    if (this.#auditor === undefined || info === undefined) return undefined;
    const impersonated = user === authenticated ? undefined : user;
    const record = this.#auditor.begin({ auditId, request, info, user: authenticated, impersonated });
    this.#response.once("close", () => {
      const failure = this.#failure === undefined ? undefined : statusOf(this.#failure);
      record?.completed(this.#response.statusCode, failure);
    });
    return record;
  }

  /** The answer will say what went wrong. Who could not be authenticated is recorded, too. */
  fail(error: unknown): void {
    this.#failure = error;
    if (!this.#hasBegun) this.begin(undefined, undefined);
  }
}
