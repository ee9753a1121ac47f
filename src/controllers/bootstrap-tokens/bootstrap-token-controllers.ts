// Removes bootstrap tokens that have ended, and signs `cluster-info` with those that hold.
import { resources } from "../../api/index.ts";
import { WorkQueue } from "../../client/index.ts";
import { isNotFound } from "../../machinery/index.ts";
import { type Controller, type ControllerContext, keyedController } from "../controller.ts";
import {
  expiresAtMs,
  INFO_NAME,
  INFO_NAMESPACE,
  isTokenSecret,
  signedData,
  signingToken,
  TOKEN_NAMESPACE,
  TOKEN_TYPE,
  type TokenSecret,
} from "./plan.ts";

/** By its type, so that no other secret is looked at. */
const TOKENS = { namespace: TOKEN_NAMESPACE, fieldSelector: `type=${TOKEN_TYPE}` };

/** @see kubernetes `pkg/controller/bootstrap/tokencleaner.go` */
export function tokenCleanerController(context: ControllerContext): Controller {
  const { client, clock, informers } = context;
  const queue = new WorkQueue<string>({ clock });
  const secrets = informers.informer(resources.secrets, TOKENS);
  const add = (secret: TokenSecret) => {
    if (isTokenSecret(secret)) queue.add(secret.metadata.name ?? "");
  };
  secrets.onChange({ added: add, updated: (_, secret) => add(secret) });
  const reconcile = async (name: string, signal: AbortSignal) => {
    const secret = secrets.lister.get(TOKEN_NAMESPACE, name);
    const atMs = secret === undefined ? undefined : expiresAtMs(secret);
    if (secret === undefined || atMs === undefined) return undefined;
    const waitMs = atMs - clock.now();
    if (waitMs > 0) return { requeueAfterMs: waitMs };
    const { uid } = secret.metadata;
    const options = { preconditions: uid === undefined ? {} : { uid } };
    try {
      await client.delete(resources.secrets, name, { namespace: TOKEN_NAMESPACE, options, signal });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    return undefined;
  };
  return keyedController({ name: "token-cleaner-controller", context, queue, reconcile });
}

/** @see kubernetes `pkg/controller/bootstrap/bootstrapsigner.go` */
export function bootstrapSignerController(context: ControllerContext): Controller {
  const { client, clock, informers } = context;
  const queue = new WorkQueue<string>({ clock });
  const secrets = informers.informer(resources.secrets, TOKENS);
  const infos = informers.informer(resources.configmaps, { namespace: INFO_NAMESPACE, fieldSelector: `metadata.name=${INFO_NAME}` });
  const changed = () => queue.add(INFO_NAME);
  for (const informer of [secrets, infos]) informer.onChange({ added: changed, updated: changed, deleted: changed });
  const reconcile = async (_key: string, signal: AbortSignal) => {
    const info = infos.lister.get(INFO_NAMESPACE, INFO_NAME);
    if (info === undefined) return undefined;
    const tokens = secrets.lister.list(TOKEN_NAMESPACE).flatMap((secret) => signingToken(secret, clock.now()) ?? []);
    const data = signedData(info, tokens);
    if (data !== undefined) await client.update(resources.configmaps, { ...info, data }, { namespace: INFO_NAMESPACE, signal });
    return undefined;
  };
  return keyedController({ name: "bootstrap-signer-controller", context, queue, reconcile });
}
