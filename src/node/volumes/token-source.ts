// Service account tokens for projected volumes: asked for by TokenRequest, kept until 80 % of their life is over.
import { resources } from "../../api/index.ts";
import type { TokenRequest } from "../../api/types/authentication/v1.ts";
import type { Pod, ServiceAccountTokenProjection } from "../../api/types/core/v1.ts";
import type { Clock } from "../../base/index.ts";
import type { Client } from "../../client/index.ts";
import type { DeepReadonly } from "../../machinery/index.ts";

/** Also after a day, however long the token lives. */
const MAX_AGE_MS = 24 * 3_600_000;
const REFRESH_AFTER_SHARE = 0.8;
const DEFAULT_EXPIRATION_SECONDS = 3_600;

interface KeptToken {
  readonly token: string;
  readonly refreshAtMs: number;
}

export class TokenSource {
  readonly #client: Pick<Client, "createSubresource">;
  readonly #clock: Pick<Clock, "now">;
  /** By pod uid, then by audience and life. */
  readonly #kept = new Map<string, Map<string, KeptToken>>();

  constructor(client: Pick<Client, "createSubresource">, clock: Pick<Clock, "now">) {
    this.#client = client;
    this.#clock = clock;
  }

  async token(pod: DeepReadonly<Pod>, projection: DeepReadonly<ServiceAccountTokenProjection>, signal?: AbortSignal): Promise<string> {
    const { name = "", namespace = "", uid = "" } = pod.metadata;
    const expirationSeconds = projection.expirationSeconds ?? DEFAULT_EXPIRATION_SECONDS;
    const key = `${projection.audience ?? ""}\n${expirationSeconds}`;
    const kept = this.#kept.get(uid)?.get(key);
    const nowMs = this.#clock.now();
    if (kept !== undefined && nowMs < kept.refreshAtMs) return kept.token;
    const request: TokenRequest = {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      metadata: {},
      spec: {
        audiences: projection.audience === undefined || projection.audience === "" ? [] : [projection.audience],
        expirationSeconds,
        boundObjectRef: { apiVersion: "v1", kind: "Pod", name, uid },
      },
    };
    const account = pod.spec?.serviceAccountName ?? "default";
    const answer = await this.#client.createSubresource(resources.serviceaccounts, account, "token", request, { namespace, signal });
    const { token = "", expirationTimestamp = "" } = (answer as TokenRequest).status ?? {};
    const lifeMs = Date.parse(expirationTimestamp) - nowMs;
    const fresh = { token, refreshAtMs: nowMs + Math.min(lifeMs * REFRESH_AFTER_SHARE, MAX_AGE_MS) };
    this.#kept.set(uid, (this.#kept.get(uid) ?? new Map<string, KeptToken>()).set(key, fresh));
    return token;
  }

  forget(podUid: string): void {
    this.#kept.delete(podUid);
  }
}
