// pods/binding: puts a pod on a node.
import { formatTime } from "../../../base/index.ts";
import { conflict, type DeepReadonly, field, invalid, type KubeObject } from "../../../machinery/index.ts";
import type { Draft } from "../draft.ts";
import { replaceObject } from "../update-path.ts";
import type { UpdateRules } from "../update-rules.ts";
import { answer, type CreateSubresource } from "./subresource.ts";

type Labels = Readonly<Record<string, string>>;

interface BindingBody {
  readonly metadata?: { readonly name?: string; readonly uid?: string; readonly annotations?: Labels; readonly labels?: Labels };
  readonly target?: { readonly kind?: string; readonly name?: string };
}

interface BoundPod {
  spec: { nodeName?: string; schedulingGates?: readonly unknown[] };
  status?: { conditions?: Condition[] };
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly lastTransitionTime: string;
  readonly lastProbeTime: null;
  readonly observedGeneration?: number;
}

export const createBinding: CreateSubresource = async (context, scope, body, options) => {
  const { metadata = {}, target = {} } = body as unknown as BindingBody;
  checkTarget(scope.name, target);
  const nodeName = target.name ?? "";
  const make = ({ object }: { readonly object: DeepReadonly<KubeObject> }): Draft => {
    // Binding changes a few fields: all else stays what it is, not a copy of it.
    const draft: Draft = {
      ...(object as Draft),
      metadata: { ...(object as Draft).metadata },
      spec: { ...(object as unknown as BoundPod).spec },
    };
    if (metadata.uid !== undefined && metadata.uid !== draft.metadata.uid) {
      const why = `Precondition failed: UID in precondition: ${metadata.uid}, UID in object meta: ${draft.metadata.uid}`;
      throw conflict(scope.resource, scope.name, why);
    }
    const refusal = refusalOf(draft as unknown as BoundPod & Draft);
    if (refusal !== undefined) throw conflict(scope.resource, scope.name, refusal);
    bind(draft, nodeName, context.clock.now());
    // Admission puts them there: where the node is.
    if (metadata.labels !== undefined) draft.metadata.labels = { ...metadata.labels, ...draft.metadata.labels };
    if (metadata.annotations !== undefined) draft.metadata.annotations = { ...draft.metadata.annotations, ...metadata.annotations };
    return draft;
  };
  await replaceObject(
    context,
    scope,
    { make, sharesUnchanged: true, keepsGeneration: true, tracking: "none", isAdmitted: true, rules },
    options,
  );
  return answer(created);
};

const rules: UpdateRules = { prepare: () => {}, validate: () => [] };

const created = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 };

function checkTarget(name: string, { kind = "", name: node = "" }: { readonly kind?: string; readonly name?: string }): void {
  const errors = [];
  if (kind !== "" && kind !== "Node") errors.push(field.notSupported("target.kind", kind, ["Node", "<empty>"]));
  if (node === "") errors.push(field.required("target.name"));
  if (errors.length > 0) throw invalid({ group: "", kind: "Binding" }, name, errors);
}

function refusalOf(pod: BoundPod & Draft): string | undefined {
  const { name, deletionTimestamp } = pod.metadata;
  if (deletionTimestamp !== undefined) return `pod ${name} is being deleted, cannot be assigned to a host`;
  const { nodeName = "", schedulingGates = [] } = pod.spec;
  if (nodeName !== "") return `pod ${name} is already assigned to node "${nodeName}"`;
  return schedulingGates.length > 0 ? `pod ${name} has non-empty .spec.schedulingGates` : undefined;
}

function bind(draft: Draft, nodeName: string, nowMs: number): void {
  const pod = draft as unknown as BoundPod;
  pod.spec.nodeName = nodeName;
  const others = (pod.status?.conditions ?? []).filter((condition) => condition.type !== "PodScheduled");
  const scheduled = { type: "PodScheduled", status: "True", lastProbeTime: null, lastTransitionTime: formatTime(nowMs) };
  pod.status = { ...pod.status, conditions: [...others, scheduled] };
}
