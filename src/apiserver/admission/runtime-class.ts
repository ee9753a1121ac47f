// RuntimeClass: a pod pays its runtime's overhead and goes where the runtime is.
import type { RuntimeClass } from "../../api/types/node/v1.ts";
import { type DeepReadonly, deepEqual, forbidden, parseQuantity } from "../../machinery/index.ts";
import { type AdmissionPlugin, type AdmissionRequest, isCreation } from "./admission.ts";
import { type ClusterView, lookUp } from "./cluster-view.ts";
import { createdPodSpec, type PodSpec, pods, type Toleration } from "./pod-fields.ts";

type Amounts = Readonly<Record<string, string>>;

export class RuntimeClassAdmission implements AdmissionPlugin {
  readonly name = "RuntimeClass";
  readonly resources = ["/pods"];
  readonly mayMutate = isCreation;
  readonly #view: ClusterView;

  constructor(view: ClusterView) {
    this.#view = view;
  }

  mutate(request: AdmissionRequest): void | Promise<void> {
    const spec = createdPodSpec(request);
    return spec?.runtimeClassName === undefined ? undefined : this.#apply(request, spec, spec.runtimeClassName);
  }

  validate(request: AdmissionRequest): void | Promise<void> {
    const spec = createdPodSpec(request);
    if (spec === undefined || (spec.overhead === undefined && spec.runtimeClassName === undefined)) return undefined;
    return this.#check(request, spec);
  }

  async #apply(request: AdmissionRequest, spec: PodSpec, name: string): Promise<void> {
    const { overhead, scheduling } = await this.#find(request, name);
    const fixed = overhead?.podFixed;
    if (fixed !== undefined) {
      if (spec.overhead !== undefined && !sameAmounts(spec.overhead, fixed)) throw mismatch(request);
      spec.overhead = { ...fixed };
    }
    const selector = scheduling?.nodeSelector ?? {};
    for (const [key, value] of Object.entries(selector)) {
      const own = spec.nodeSelector?.[key];
      if (own === undefined || own === value) continue;
      throw refusal(request, `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${own}`);
    }
    if (Object.keys(selector).length > 0) spec.nodeSelector = { ...spec.nodeSelector, ...selector };
    const tolerations = (scheduling?.tolerations ?? []) as Toleration[];
    const missing = tolerations.filter((toleration) => !spec.tolerations?.some((own) => deepEqual(own, toleration)));
    if (missing.length > 0) spec.tolerations = [...(spec.tolerations ?? []), ...missing.map((toleration) => ({ ...toleration }))];
  }

  async #check(request: AdmissionRequest, { runtimeClassName, overhead }: PodSpec): Promise<void> {
    const found = runtimeClassName === undefined ? undefined : await this.#find(request, runtimeClassName);
    const fixed = found?.overhead?.podFixed;
    if (fixed === undefined) {
      if (overhead === undefined) return;
      throw refusal(request, "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead");
    }
    if (overhead === undefined || !sameAmounts(overhead, fixed)) throw mismatch(request);
  }

  async #find(request: AdmissionRequest, name: string): Promise<DeepReadonly<RuntimeClass>> {
    const found = await lookUp<RuntimeClass>(this.#view, "node.k8s.io/runtimeclasses", name);
    if (found === undefined) throw refusal(request, `pod rejected: RuntimeClass "${name}" not found`);
    return found;
  }
}

function sameAmounts(a: Amounts, b: Amounts): boolean {
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => b[name] !== undefined && parseQuantity(a[name] ?? "0").compare(parseQuantity(b[name] ?? "0")) === 0)
  );
}

function mismatch(request: AdmissionRequest): Error {
  return refusal(request, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
}

function refusal({ object }: AdmissionRequest, why: string): Error {
  return forbidden(pods, object?.metadata.name ?? "", why);
}
