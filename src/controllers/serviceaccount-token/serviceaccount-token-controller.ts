// Fills secrets of type kubernetes.io/service-account-token, which people make where tokens must not end.
import { resources } from "../../api/index.ts";
import type { ServiceAccount } from "../../api/types/core/v1.ts";
import { WorkQueue } from "../../client/index.ts";
import { type DeepReadonly, isNotFound, objectKey, splitKey } from "../../machinery/index.ts";
import { type Controller, type ControllerContext, keyedController } from "../controller.ts";
import { ACCOUNT_NAME, planTokenSecret, TOKEN_TYPE, type TokenSecret } from "./plan.ts";

export interface ServiceAccountTokenOptions {
  /** By which the token's owner knows the API server, PEM. */
  readonly caPem: string;
  /** A token that names its secret and lasts as long as that. */
  readonly issue: (account: DeepReadonly<ServiceAccount>, secret: TokenSecret) => Promise<string>;
}

/** @see kubernetes `pkg/controller/serviceaccount/tokens_controller.go` */
export function serviceAccountTokenController(context: ControllerContext, { caPem, issue }: ServiceAccountTokenOptions): Controller {
  const { client, clock, informers } = context;
  const queue = new WorkQueue<string>({ clock });
  const secrets = informers.informer(resources.secrets, { fieldSelector: `type=${TOKEN_TYPE}` });
  const accounts = informers.informer(resources.serviceaccounts);
  const add = (secret: TokenSecret) => queue.add(objectKey(secret));
  const accountChanged = ({ metadata }: DeepReadonly<ServiceAccount>) => {
    for (const secret of secrets.lister.list(metadata.namespace)) {
      if (secret.metadata.annotations?.[ACCOUNT_NAME] === metadata.name) add(secret);
    }
  };
  secrets.onChange({ added: add, updated: (_, secret) => add(secret) });
  accounts.onChange({ added: accountChanged, deleted: accountChanged });

  const accountOf = async (secret: TokenSecret, signal: AbortSignal) => {
    const { namespace = "", annotations } = secret.metadata;
    const name = annotations?.[ACCOUNT_NAME] ?? "";
    const known = accounts.lister.get(namespace, name);
    if (known !== undefined || name === "") return known;
    try {
      // The informer may not have seen it yet, and the secret would be gone for good.
      return await client.get(resources.serviceaccounts, name, { namespace, signal });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  };

  const reconcile = async (key: string, signal: AbortSignal) => {
    const { namespace, name } = splitKey(key);
    const secret = secrets.lister.get(namespace, name);
    if (secret === undefined) return undefined;
    const account = await accountOf(secret, signal);
    const plan = planTokenSecret(secret, account, caPem);
    if (plan.type === "delete") {
      const { uid, resourceVersion } = secret.metadata;
      const preconditions = { ...(uid === undefined ? {} : { uid }), ...(resourceVersion === undefined ? {} : { resourceVersion }) };
      await client.delete(resources.secrets, name, { namespace, options: { preconditions }, signal });
    }
    if (plan.type !== "fill" || account === undefined) return undefined;
    const token = plan.needsToken ? { token: Buffer.from(await issue(account, secret)).toString("base64") } : {};
    await client.update(resources.secrets, { ...plan.secret, data: { ...plan.secret.data, ...token } }, { namespace, signal });
    return undefined;
  };
  return keyedController({ name: "serviceaccount-token-controller", context, queue, reconcile });
}
