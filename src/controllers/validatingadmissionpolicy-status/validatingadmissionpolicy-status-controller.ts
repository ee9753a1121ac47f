// Checks policies' expressions against the kinds that they name, and writes into their status what does not fit.
import { resources } from "../../api/index.ts";
import { WorkQueue } from "../../client/index.ts";
import { type Controller, type ControllerContext, keyedController } from "../controller.ts";
import { planStatus } from "./plan.ts";

/** @see kubernetes `pkg/controller/validatingadmissionpolicystatus/controller.go` */
export function validatingAdmissionPolicyStatusController(context: ControllerContext): Controller {
  const { client, clock, informers } = context;
  const queue = new WorkQueue<string>({ clock });
  const policies = informers.informer(resources.validatingadmissionpolicies);
  const definitions = informers.informer(resources.customresourcedefinitions);
  const add = (name: string | undefined) => queue.add(name ?? "");
  policies.onChange({ added: ({ metadata }) => add(metadata.name), updated: (_, { metadata }) => add(metadata.name) });
  const reconcile = async (name: string, signal: AbortSignal) => {
    const policy = policies.lister.get("", name);
    const status = policy === undefined ? undefined : planStatus(policy, definitions.lister.list());
    if (status === undefined) return undefined;
    // A merge patch: the warnings of before must be taken away.
    const typeChecking = { expressionWarnings: null, ...status.typeChecking };
    const patch = { status: { ...status, typeChecking } };
    const options = { subresource: "status", type: "application/merge-patch+json", signal } as const;
    await client.patch(resources.validatingadmissionpolicies, name, patch, options);
    return undefined;
  };
  return keyedController({ name: "validatingadmissionpolicy-status-controller", context, queue, reconcile });
}
