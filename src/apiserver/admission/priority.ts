// Priority: turns a pod's priority class into a number.
import { type DeepReadonly, forbidden, type KubeObject } from "../../machinery/index.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./admission.ts";
import { type ClusterView, lookUp, lookUpAll } from "./cluster-view.ts";
import { createdPodSpec, pods } from "./pod-fields.ts";

const PREFIX = "scheduling.k8s.io/priorityclasses";

interface PriorityClass extends KubeObject {
  readonly value?: number;
  readonly globalDefault?: boolean;
  readonly preemptionPolicy?: string;
}

export class PriorityAdmission implements AdmissionPlugin {
  readonly name = "Priority";
  readonly resources = ["/pods"];
  readonly #view: ClusterView;

  constructor(view: ClusterView) {
    this.#view = view;
  }

  async mutate(request: AdmissionRequest): Promise<void> {
    const spec = createdPodSpec(request);
    if (spec === undefined) return;
    const name = request.object?.metadata.name ?? "";
    const { priorityClassName = "" } = spec;
    const found = priorityClassName === "" ? this.#default() : await lookUp<PriorityClass>(this.#view, PREFIX, priorityClassName);
    if (found === undefined && priorityClassName !== "") {
      throw forbidden(pods, name, `no PriorityClass with name ${priorityClassName} was found`);
    }
    const priority = found?.value ?? 0;
    if (spec.priority !== undefined && spec.priority !== priority) {
      const why = `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${priority} from the given PriorityClass name`;
      throw forbidden(pods, name, why);
    }
    if (priorityClassName === "" && found?.metadata.name !== undefined) spec.priorityClassName = found.metadata.name;
    spec.priority = priority;
    spec.preemptionPolicy ??= found?.preemptionPolicy ?? "PreemptLowerPriority";
  }

  /** Of several global defaults the one with the lowest value counts. */
  #default(): DeepReadonly<PriorityClass> | undefined {
    const defaults = lookUpAll<PriorityClass>(this.#view, PREFIX).filter(({ globalDefault }) => globalDefault === true);
    return defaults.sort((a, b) => (a.value ?? 0) - (b.value ?? 0))[0];
  }
}
