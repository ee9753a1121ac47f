// Grants CustomResourceDefinitions their names, establishes them, and empties those that are being deleted.
import { resources } from "../../api/index.ts";
import type { CustomResourceDefinition } from "../../api/types/apiextensions/v1.ts";
import { timestamp } from "../../base/index.ts";
import { type ReconcileResult, WorkQueue } from "../../client/index.ts";
import { type DeepReadonly, deepEqual, isNotFound } from "../../machinery/index.ts";
import { type Controller, type ControllerContext, keyedController } from "../controller.ts";
import { deleteInstances, instanceResource } from "./instances.ts";
import { planStatus, withCondition } from "./plan.ts";

type Definition = DeepReadonly<CustomResourceDefinition>;

const FINALIZER = "customresourcecleanup.apiextensions.k8s.io";
/** When to look again at instances that finalizers keep. */
const RECHECK_MS = 5_000;

/** @see kubernetes `apiextensions-apiserver/pkg/controller` (status, establish, finalizer, apiapproval) */
export function customResourceDefinitionController(context: ControllerContext): Controller {
  const { client, clock, informers } = context;
  const queue = new WorkQueue<string>({ clock });
  const definitions = informers.informer(resources.customresourcedefinitions);
  definitions.addIndex("group", ({ spec }) => [spec.group]);
  const add = ({ metadata }: Definition) => queue.add(metadata.name ?? "");
  /** A name that becomes free may be what another one of the group waits for. */
  const addGroup = ({ spec }: Definition) => definitions.lister.byIndex("group", spec.group).forEach(add);
  definitions.onChange({
    added: add,
    updated: (old, definition) => (deepEqual(old.status?.acceptedNames, definition.status?.acceptedNames) ? add : addGroup)(definition),
    deleted: addGroup,
  });

  const writeStatus = async (definition: Definition, status: Definition["status"], signal: AbortSignal): Promise<Definition> => {
    if (deepEqual(definition.status, status)) return definition;
    return client.update(resources.customresourcedefinitions, { ...definition, status }, { subresource: "status", signal });
  };

  const empty = async (definition: Definition, signal: AbortSignal): Promise<ReconcileResult | undefined> => {
    const terminating = (status: "True" | "False", reason: string, message: string) => {
      const conditions = withCondition(
        definition.status?.conditions ?? [],
        { type: "Terminating", status, reason, message },
        timestamp(clock),
      );
      return { ...definition.status, conditions };
    };
    const resource = instanceResource(definition);
    const left = resource === undefined ? 0 : await deleteInstances(client, resource, signal);
    if (left > 0) {
      await writeStatus(definition, terminating("True", "InstanceDeletionInProgress", "CustomResource deletion is in progress"), signal);
      return { requeueAfterMs: RECHECK_MS };
    }
    const done = await writeStatus(definition, terminating("False", "InstanceDeletionCompleted", "removed all instances"), signal);
    const finalizers = (done.metadata.finalizers ?? []).filter((finalizer) => finalizer !== FINALIZER);
    await client.update(resources.customresourcedefinitions, { ...done, metadata: { ...done.metadata, finalizers } }, { signal });
    return undefined;
  };

  /** By what is stored now: the lister may not know yet which names were granted last. */
  const grant = async (name: string, signal: AbortSignal): Promise<void> => {
    const { items } = await client.list(resources.customresourcedefinitions, { signal });
    const definition = items.find(({ metadata }) => metadata.name === name);
    if (definition !== undefined) await writeStatus(definition, planStatus(definition, items, timestamp(clock)), signal);
  };

  const reconcile = async (name: string, signal: AbortSignal): Promise<ReconcileResult | undefined> => {
    const definition = definitions.lister.get("", name);
    if (definition === undefined) return undefined;
    try {
      if (definition.metadata.deletionTimestamp !== undefined)
        return definition.metadata.finalizers?.includes(FINALIZER) === true ? await empty(definition, signal) : undefined;
      const isRight = deepEqual(definition.status, planStatus(definition, definitions.lister.list(), timestamp(clock)));
      if (!isRight) await grant(name, signal);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    return undefined;
  };
  // One at a time: two that want the same name must not both be granted it.
  return keyedController({ name: "customresourcedefinition-controller", context, queue, reconcile, concurrency: 1 });
}
