// Impersonate-User, -Group, -Uid and -Extra-*: acting as another user, for those who may.
import type { UserInfo } from "../../api/index.ts";
import { badRequest } from "../../machinery/index.ts";
import { type AuthorizationAttributes, type Authorizer, authorizationError } from "../authz/authorizer.ts";
import { ALL_AUTHENTICATED, ALL_UNAUTHENTICATED, withAuthenticated } from "./authenticator.ts";
import { unescapedKey } from "./front-proxy.ts";

type Headers = Readonly<Record<string, string | string[] | undefined>>;

const EXTRA_PREFIX = "impersonate-extra-";
const SERVICE_ACCOUNT_PREFIX = "system:serviceaccount:";

/** Who is asked for; without a name there is nobody to act as. */
interface Impersonated {
  readonly name: string | undefined;
  readonly groups: readonly string[];
  readonly uid: string | undefined;
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

type Target = Pick<AuthorizationAttributes, "group" | "resource" | "name"> & Partial<AuthorizationAttributes>;

export class Impersonator {
  readonly #authorizer: Authorizer;

  constructor(authorizer: Authorizer) {
    this.#authorizer = authorizer;
  }

  /** The user that `user` acts as: itself without the headers. Forbidden unless each part may be impersonated. */
  impersonate(user: UserInfo, headers: Headers): UserInfo | Promise<UserInfo> {
    const name = first(headers["impersonate-user"]);
    const groups = all(headers["impersonate-group"]);
    const uid = first(headers["impersonate-uid"]);
    if (name === undefined && groups.length === 0 && uid === undefined) return user;
    return this.#actAs(user, { name, groups, uid, extra: extraOf(headers) });
  }

  async #actAs(user: UserInfo, { name, groups, uid, extra }: Impersonated): Promise<UserInfo> {
    if (name === undefined) {
      throw badRequest("requested impersonation of groups, a uid or extra without impersonating a user");
    }
    await this.#check(user, serviceAccountOf(name) ?? { group: "", resource: "users", name });
    for (const group of groups) await this.#check(user, { group: "", resource: "groups", name: group });
    if (uid !== undefined) await this.#check(user, { group: "authentication.k8s.io", resource: "uids", name: uid });
    for (const [key, values] of Object.entries(extra)) {
      for (const value of values) {
        await this.#check(user, { group: "authentication.k8s.io", resource: "userextras", subresource: key, name: value });
      }
    }
    return {
      name,
      groups: groupsOf(name, groups),
      ...(uid === undefined ? {} : { uid }),
      ...(Object.keys(extra).length === 0 ? {} : { extra }),
    };
  }

  async #check(user: UserInfo, target: Target): Promise<void> {
    const attributes = { version: "v1", subresource: "", namespace: "", verb: "impersonate", ...target, user };
    const decision = await this.#authorizer.authorize(attributes);
    if (!decision.allowed) throw authorizationError(attributes, decision.reason);
  }
}

function serviceAccountOf(name: string) {
  if (!name.startsWith(SERVICE_ACCOUNT_PREFIX)) return undefined;
  const [namespace, account] = name.slice(SERVICE_ACCOUNT_PREFIX.length).split(":");
  if (namespace === undefined || account === undefined) return undefined;
  return { group: "", resource: "serviceaccounts", namespace, name: account };
}

/** The groups that come with the user besides those asked for. */
function groupsOf(name: string, asked: readonly string[]): readonly string[] {
  if (name === "system:anonymous") return asked.includes(ALL_UNAUTHENTICATED) ? asked : [...asked, ALL_UNAUTHENTICATED];
  if (asked.includes(ALL_UNAUTHENTICATED) || asked.includes(ALL_AUTHENTICATED)) return asked;
  const account = serviceAccountOf(name);
  if (account === undefined || asked.length > 0) return withAuthenticated(asked);
  return ["system:serviceaccounts", `system:serviceaccounts:${account.namespace}`, ALL_AUTHENTICATED];
}

function extraOf(headers: Headers): Record<string, string[]> {
  const extra: Record<string, string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(EXTRA_PREFIX)) extra[unescapedKey(name.slice(EXTRA_PREFIX.length))] = all(value);
  }
  return extra;
}

function first(value: string | string[] | undefined): string | undefined {
  return typeof value === "string" || value === undefined ? value : value[0];
}

/** node joins headers of the same name by `, `. */
function all(value: string | string[] | undefined): string[] {
  if (value === undefined) return [];
  return (typeof value === "string" ? value.split(",") : value).map((item) => item.trim()).filter((item) => item !== "");
}
