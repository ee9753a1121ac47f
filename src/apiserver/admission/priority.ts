// Priority: turns a pod's priority class into a number, and sees that there is at most one default class.
import type { PriorityClass } from "../../api/types/scheduling/v1.ts";
import { type DeepReadonly, forbidden } from "../../machinery/index.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./admission.ts";
import { type ClusterView, lookUp, lookUpAll } from "./cluster-view.ts";
import { createdPodSpec, type PodSpec, podSpec, pods } from "./pod-fields.ts";

const CLASSES = "scheduling.k8s.io/priorityclasses";
const DEFAULT_POLICY = "PreemptLowerPriority";

type Class = DeepReadonly<Pick<PriorityClass, "metadata" | "value" | "preemptionPolicy">>;

/** What pods without a class get where no class is the default. */
const noClass: Class = { metadata: {}, value: 0, preemptionPolicy: DEFAULT_POLICY };

export class PriorityAdmission implements AdmissionPlugin {
  readonly name = "Priority";
  readonly resources = ["/pods", CLASSES];
  readonly #view: ClusterView;

  constructor(view: ClusterView) {
    this.#view = view;
  }

  mayMutate({ operation, object }: AdmissionRequest): boolean {
    const { priority, preemptionPolicy } = (object?.["spec"] ?? {}) as PodSpec;
    return operation === "CREATE" || priority === undefined || preemptionPolicy === undefined;
  }

  mutate(request: AdmissionRequest): void | Promise<void> {
    if (request.scope.resource.resource !== "pods") return undefined;
    const spec = createdPodSpec(request);
    if (spec === undefined) return keepPriority(request);
    const { priorityClassName = "" } = spec;
    if (priorityClassName !== "") return this.#applyNamed(request, spec, priorityClassName);
    const found = this.#defaultClass() ?? noClass;
    if (found.metadata.name !== undefined) spec.priorityClassName = found.metadata.name;
    return apply(request, spec, found);
  }

  validate({ operation, scope, object }: AdmissionRequest): void {
    const isClass = scope.resource.resource === "priorityclasses" && (operation === "CREATE" || operation === "UPDATE");
    if (!isClass || object?.["globalDefault"] !== true) return;
    const other = this.#defaultClass();
    const name = object.metadata.name ?? "";
    if (other === undefined || other.metadata.name === name) return;
    const why = `PriorityClass ${other.metadata.name} is already marked as default. Only one default can exist`;
    throw forbidden(scope.resource, name, why);
  }

  async #applyNamed(request: AdmissionRequest, spec: PodSpec, name: string): Promise<void> {
    const found = await lookUp<PriorityClass>(this.#view, CLASSES, name);
    if (found === undefined) throw refusal(request, `no PriorityClass with name ${name} was found`);
    apply(request, spec, found);
  }

  /** Of several defaults the one with the lowest value counts. */
  #defaultClass(): Class | undefined {
    const defaults = lookUpAll<PriorityClass>(this.#view, CLASSES).filter(({ globalDefault }) => globalDefault === true);
    return defaults.sort((a, b) => (a.value ?? 0) - (b.value ?? 0))[0];
  }
}

function apply(request: AdmissionRequest, spec: PodSpec, { value = 0, preemptionPolicy }: Class): void {
  const admission = "must not be provided in pod spec; priority admission controller computed";
  if (spec.priority !== undefined && spec.priority !== value) {
    throw refusal(request, `the integer value of priority (${spec.priority}) ${admission} ${value} from the given PriorityClass name`);
  }
  const policy = preemptionPolicy ?? DEFAULT_POLICY;
  if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== policy) {
    const given = `the string value of PreemptionPolicy (${spec.preemptionPolicy})`;
    throw refusal(request, `${given} ${admission} ${policy} from the given PriorityClass name`);
  }
  spec.priority = value;
  spec.preemptionPolicy = policy;
}

/** Clients that know nothing of priorities leave it out of their updates. */
function keepPriority({ operation, scope, object, old }: AdmissionRequest): void {
  if (operation !== "UPDATE" || scope.subresource !== "" || object === undefined || old === undefined) return;
  const spec = podSpec(object);
  const before = (old as { readonly spec?: DeepReadonly<PodSpec> }).spec;
  if (before?.priority !== undefined) spec.priority ??= before.priority;
  if (before?.preemptionPolicy !== undefined) spec.preemptionPolicy ??= before.preemptionPolicy;
}

function refusal({ object }: AdmissionRequest, why: string): Error {
  return forbidden(pods, object?.metadata.name ?? "", why);
}
