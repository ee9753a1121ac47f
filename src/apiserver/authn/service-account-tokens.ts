// Tokens of service accounts: issued for TokenRequests, verified on requests, published as JWKS.
import { decodeJwt, errors, type JWTPayload, SignJWT } from "jose";
import type { UserInfo } from "../../api/index.ts";
import { type Clock, formatTime, type Random, uuid } from "../../base/index.ts";
import type { DeepReadonly, KubeObject } from "../../machinery/index.ts";
import { ALL_AUTHENTICATED } from "./authenticator.ts";
import { type AuthenticatedToken, InvalidTokenError, type TokenAuthenticator } from "./token-chain.ts";
import { TokenKey } from "./token-key.ts";

interface ObjectRef {
  readonly name: string;
  readonly uid: string;
}

interface KubernetesClaims {
  readonly namespace: string;
  readonly serviceaccount: ObjectRef;
  readonly pod?: ObjectRef;
  readonly secret?: ObjectRef;
  readonly node?: ObjectRef;
}

/** The object as it is now; undefined when it is gone. `resource` is a plural of the core group. */
export type ObjectLookup = (resource: string, namespace: string, name: string) => Promise<DeepReadonly<KubeObject> | undefined>;

export interface ServiceAccountTokensOptions {
  /** PEM of an RSA or P-256 private key. */
  readonly signingKey: string | Buffer;
  /** Such as `https://kubernetes.default.svc.cluster.local`; also the audience when none is asked for. */
  readonly issuer: string;
  readonly clock: Pick<Clock, "now">;
  readonly random: Random;
  readonly lookup: ObjectLookup;
}

interface Verified {
  readonly payload: JWTPayload;
  readonly claims: KubernetesClaims;
  /** Until then the bound objects count as checked; upstream's cache of tokens lasts as long. */
  freshUntilMs: number;
}

const CHECK_INTERVAL_MS = 10_000;
const CACHE_LIMIT = 4096;
const EXTRA = "authentication.kubernetes.io/";

/** Tokens outlive what they are bound to by this much at most, once it is being deleted. */
const DELETION_LEEWAY_MS = 60_000;

export class ServiceAccountTokens implements TokenAuthenticator {
  readonly defaultAudiences: readonly string[];
  readonly #options: ServiceAccountTokensOptions;
  readonly #key: TokenKey;
  readonly #verified = new Map<string, Verified>();

  constructor(options: ServiceAccountTokensOptions) {
    this.#options = options;
    this.defaultAudiences = [options.issuer];
    this.#key = new TokenKey(options.signingKey);
  }

  /** A token of `account` that ends with `bound`, if given. */
  async issue(
    account: DeepReadonly<KubeObject>,
    spec: { readonly audiences?: readonly string[]; readonly expirationSeconds?: number },
    bound?: DeepReadonly<KubeObject>,
  ): Promise<{ token: string; expirationTimestamp: string }> {
    const { clock, issuer, random } = this.#options;
    const { namespace = "", name = "", uid = "" } = account.metadata;
    const nowSeconds = Math.floor(clock.now() / 1000);
    const expires = nowSeconds + (spec.expirationSeconds ?? 3600);
    const claims: KubernetesClaims = { namespace, serviceaccount: { name, uid }, ...(await this.#boundClaims(bound)) };
    const unsigned = new SignJWT({ "kubernetes.io": claims })
      .setIssuer(issuer)
      .setSubject(`system:serviceaccount:${namespace}:${name}`)
      .setAudience([...(spec.audiences ?? this.defaultAudiences)])
      .setIssuedAt(nowSeconds)
      .setNotBefore(nowSeconds)
      .setExpirationTime(expires)
      .setJti(uuid(random));
    return { token: await this.#key.sign(unsigned), expirationTimestamp: formatTime(expires * 1000) };
  }

  /** A pod's token names its node, too. */
  async #boundClaims(bound: DeepReadonly<KubeObject> | undefined): Promise<Partial<KubernetesClaims>> {
    if (bound === undefined) return {};
    const { name = "", uid = "" } = bound.metadata;
    if (bound.kind !== "Pod") return bound.kind === "Secret" ? { secret: { name, uid } } : { node: { name, uid } };
    const { nodeName = "" } = (bound as { readonly spec?: { readonly nodeName?: string } }).spec ?? {};
    const nodeUid = nodeName === "" ? undefined : (await this.#options.lookup("nodes", "", nodeName))?.metadata.uid;
    return { pod: { name, uid }, ...(nodeUid === undefined ? {} : { node: { name: nodeName, uid: nodeUid } }) };
  }

  async authenticateToken(token: string, audiences: readonly string[]): Promise<AuthenticatedToken | undefined> {
    const verified = await this.#verify(token);
    if (verified === undefined) return undefined;
    const { payload, claims } = verified;
    const nowMs = this.#options.clock.now();
    if (nowMs >= (payload.exp ?? 0) * 1000) throw new InvalidTokenError("service account token has expired");
    const own = typeof payload.aud === "string" ? [payload.aud] : (payload.aud ?? []);
    const common = own.filter((audience) => audiences.includes(audience));
    if (common.length === 0) {
      throw new InvalidTokenError(`token audiences ${quoted(own)} is invalid for the target audiences ${quoted(audiences)}`);
    }
    if (nowMs >= verified.freshUntilMs) {
      await this.#checkObjects(claims);
      verified.freshUntilMs = nowMs + CHECK_INTERVAL_MS;
    }
    return { user: userOf(claims, payload.jti), audiences: common };
  }

  async #verify(token: string): Promise<Verified | undefined> {
    const known = this.#verified.get(token);
    if (known !== undefined) return known;
    const { issuer, clock } = this.#options;
    if (unverifiedIssuer(token) !== issuer) return undefined;
    try {
      const payload = await this.#key.verify(token, { issuer, nowMs: clock.now() });
      const claims = payload["kubernetes.io"] as KubernetesClaims | undefined;
      if (claims === undefined) return undefined;
      if (this.#verified.size >= CACHE_LIMIT) this.#verified.clear();
      const verified: Verified = { payload, claims, freshUntilMs: 0 };
      this.#verified.set(token, verified);
      return verified;
    } catch (error) {
      if (error instanceof errors.JWTExpired) throw new InvalidTokenError("service account token has expired", { cause: error });
      throw new InvalidTokenError("service account token is not valid", { cause: error });
    }
  }

  /** The account and what the token is bound to must be the same objects still. */
  async #checkObjects({ namespace, serviceaccount, pod, secret, node }: KubernetesClaims): Promise<void> {
    const checks: [string, string, ObjectRef | undefined][] = [
      ["serviceaccounts", namespace, serviceaccount],
      ["pods", namespace, pod],
      ["secrets", namespace, secret],
      // A pod's token lives as long as the pod; its node is only told.
      ["nodes", "", pod === undefined ? node : undefined],
    ];
    for (const [resource, place, ref] of checks) if (ref !== undefined) await this.#checkObject(resource, place, ref);
  }

  async #checkObject(resource: string, namespace: string, { name, uid }: ObjectRef): Promise<void> {
    const metadata = (await this.#options.lookup(resource, namespace, name))?.metadata;
    const endMs = metadata?.deletionTimestamp === undefined ? undefined : Date.parse(metadata.deletionTimestamp) + DELETION_LEEWAY_MS;
    if (metadata === undefined || (endMs !== undefined && endMs < this.#options.clock.now())) {
      throw new InvalidTokenError("service account token has been invalidated");
    }
    if (metadata.uid !== uid) throw new InvalidTokenError(`${checkedNames[resource]} UID (${metadata.uid}) does not match claim (${uid})`);
  }

  /** `/openid/v1/jwks` */
  async jwks(): Promise<object> {
    return { keys: [await this.#key.jwk()] };
  }

  /** `/.well-known/openid-configuration` */
  configuration(): object {
    const { issuer } = this.#options;
    return {
      issuer,
      jwks_uri: `${issuer}/openid/v1/jwks`,
      response_types_supported: ["id_token"],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: [this.#key.algorithm],
    };
  }
}

function userOf({ namespace, serviceaccount, pod, node }: KubernetesClaims, jti: string | undefined): UserInfo {
  return {
    name: `system:serviceaccount:${namespace}:${serviceaccount.name}`,
    uid: serviceaccount.uid,
    groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, ALL_AUTHENTICATED],
    extra: {
      ...(jti === undefined ? {} : { [`${EXTRA}credential-id`]: [`JTI=${jti}`] }),
      ...(node === undefined ? {} : { [`${EXTRA}node-name`]: [node.name], [`${EXTRA}node-uid`]: [node.uid] }),
      ...(pod === undefined ? {} : { [`${EXTRA}pod-name`]: [pod.name], [`${EXTRA}pod-uid`]: [pod.uid] }),
    },
  };
}

const checkedNames: Readonly<Record<string, string>> = {
  serviceaccounts: "service account",
  pods: "pod",
  secrets: "secret",
  nodes: "node",
};

/** As Go writes a list of strings. */
function quoted(texts: readonly string[]): string {
  return `[${texts.map((text) => JSON.stringify(text)).join(" ")}]`;
}

/** The issuer that a JWT names, before anything about it is checked; undefined for what is no JWT. */
export function unverifiedIssuer(token: string): string | undefined {
  if (token.split(".").length !== 3) return undefined;
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}
