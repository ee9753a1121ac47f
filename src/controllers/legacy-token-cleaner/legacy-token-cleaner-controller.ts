// Once a day: marks and later deletes tokens in secrets that were made for service accounts by themselves and that nobody uses.
import { resources } from "../../api/index.ts";
import { WorkQueue } from "../../client/index.ts";
import { isConflict, isNotFound } from "../../machinery/index.ts";
import { type Controller, type ControllerContext, keyedController } from "../controller.ts";
import { TOKEN_TYPE, type TokenSecret } from "../serviceaccount-token/plan.ts";
import { cleansFromMs, dateOf, INVALID_SINCE, planToken } from "./plan.ts";

const DAY_MS = 86_400_000;
/** The API server says in it since when it notes which tokens are used. */
const TRACKING = { name: "kube-apiserver-legacy-service-account-token-tracking", namespace: "kube-system" };

/** @see kubernetes `pkg/controller/serviceaccount/legacy_serviceaccount_token_cleaner.go` */
export function legacyTokenCleanerController(context: ControllerContext): Controller {
  const { client, clock, informers } = context;
  const queue = new WorkQueue<string>({ clock });
  const secrets = informers.informer(resources.secrets, { fieldSelector: `type=${TOKEN_TYPE}` }).lister;
  const accounts = informers.informer(resources.serviceaccounts).lister;
  const pods = informers.informer(resources.pods).lister;
  queue.add("tokens");

  const clean = async (secret: TokenSecret, signal: AbortSignal) => {
    const { name = "", namespace = "", uid, resourceVersion } = secret.metadata;
    const use = { accounts: accounts.list(namespace), pods: pods.list(namespace), nowMs: clock.now() };
    const plan = planToken(secret, use);
    if (plan === "mark") {
      const metadata = { uid, resourceVersion, labels: { [INVALID_SINCE]: dateOf(clock.now()) } };
      await client.patch(resources.secrets, name, { metadata }, { namespace, type: "application/merge-patch+json", signal });
    }
    if (plan !== "delete") return;
    const preconditions = { ...(uid === undefined ? {} : { uid }), ...(resourceVersion === undefined ? {} : { resourceVersion }) };
    await client.delete(resources.secrets, name, { namespace, options: { preconditions }, signal });
  };

  const reconcile = async (_key: string, signal: AbortSignal) => {
    const tracking = await client.get(resources.configmaps, TRACKING.name, { namespace: TRACKING.namespace, signal }).catch(ignoreMissing);
    if (clock.now() >= cleansFromMs(tracking?.data?.["since"] ?? "")) {
      // What has changed meanwhile is looked at tomorrow.
      for (const secret of secrets.list()) await clean(secret, signal).catch(ignoreChange);
    }
    return { requeueAfterMs: DAY_MS };
  };
  return keyedController({ name: "legacy-serviceaccount-token-cleaner-controller", context, queue, reconcile });
}

function ignoreMissing(error: unknown): undefined {
  if (!isNotFound(error)) throw error;
}

function ignoreChange(error: unknown): void {
  if (!isNotFound(error) && !isConflict(error)) throw error;
}
