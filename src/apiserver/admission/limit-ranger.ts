// LimitRanger: defaults and limits of a namespace's LimitRanges for new pods and claims.
import type { LimitRangeItem } from "../../api/types/core/v1.ts";
import { type DeepReadonly, forbidden, type KubeObject, quantityMilli } from "../../machinery/index.ts";
import { fieldOf } from "../registry/draft.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./admission.ts";
import { type ClusterView, lookUpAll } from "./cluster-view.ts";
import { type Container, podSpec } from "./pod-fields.ts";

const ANNOTATION = "kubernetes.io/limit-ranger";

type Amounts = Readonly<Record<string, string>>;
type Item = DeepReadonly<LimitRangeItem>;

interface Resources {
  readonly requests?: Amounts | undefined;
  readonly limits?: Amounts | undefined;
}

interface LimitRange extends KubeObject {
  readonly spec?: { readonly limits?: LimitRangeItem[] };
}

export class LimitRanger implements AdmissionPlugin {
  readonly name = "LimitRanger";
  readonly resources = ["/pods", "/persistentvolumeclaims"];
  readonly #view: ClusterView;

  constructor(view: ClusterView) {
    this.#view = view;
  }

  mutate(request: AdmissionRequest): void {
    if (!isCreation(request) || request.scope.resource.resource !== "pods") return;
    const items = this.#items(request).filter(({ type }) => type === "Container");
    if (items.length > 0 && request.object !== undefined) setDefaults(request.object, items);
  }

  validate(request: AdmissionRequest): void {
    if (!isCreation(request) || request.object === undefined) return;
    const { resource } = request.scope;
    const { object } = request;
    const problems = this.#items(request).flatMap((item) => problemsOf(item, resource.resource, object));
    if (problems.length === 0) return;
    const why = problems.length === 1 ? (problems[0] ?? "") : `[${problems.join(", ")}]`;
    throw forbidden(resource, object.metadata.name ?? "", why);
  }

  #items({ scope }: AdmissionRequest): readonly Item[] {
    return lookUpAll<LimitRange>(this.#view, "core/limitranges", `${scope.namespace}/`).flatMap(({ spec }) => spec?.limits ?? []);
  }
}

function isCreation({ operation, scope }: AdmissionRequest): boolean {
  return operation === "CREATE" && scope.subresource === "";
}

function setDefaults(object: NonNullable<AdmissionRequest["object"]>, items: readonly Item[]): void {
  const { containers = [], initContainers = [] } = podSpec(object);
  const notes: string[] = [];
  for (const container of [...containers, ...initContainers]) {
    for (const item of items) {
      const resources = (container.resources ??= {});
      const requests = addMissing((resources.requests ??= {}), item.defaultRequest);
      const limits = addMissing((resources.limits ??= {}), item.default);
      if (requests.length > 0) notes.push(`${requests.join(", ")} request for container ${container.name}`);
      if (limits.length > 0) notes.push(`${limits.join(", ")} limit for container ${container.name}`);
    }
  }
  if (notes.length === 0) return;
  object.metadata.annotations = { ...object.metadata.annotations, [ANNOTATION]: `LimitRanger plugin set: ${notes.join("; ")}` };
}

function addMissing(target: Record<string, string>, defaults: Amounts = {}): string[] {
  const missing = Object.keys(defaults)
    .filter((name) => target[name] === undefined)
    .sort();
  for (const name of missing) target[name] = defaults[name] ?? "";
  return missing;
}

function problemsOf(item: Item, plural: string, object: NonNullable<AdmissionRequest["object"]>): string[] {
  if (plural === "persistentvolumeclaims") {
    if (item.type !== "PersistentVolumeClaim") return [];
    const { resources } = (fieldOf(object, "spec") ?? {}) as { readonly resources?: Resources };
    return limitProblems(item, { requests: resources?.requests, limits: resources?.requests });
  }
  const { containers = [], initContainers = [] } = podSpec(object);
  if (item.type === "Container") return [...containers, ...initContainers].flatMap(({ resources = {} }) => limitProblems(item, resources));
  return item.type === "Pod" ? limitProblems(item, sumOf(containers)) : [];
}

function limitProblems({ type, min = {}, max = {}, maxLimitRequestRatio = {} }: Item, { requests = {}, limits = {} }: Resources): string[] {
  const problems: string[] = [];
  for (const [name, bound] of Object.entries(min)) {
    const request = requests[name];
    if (request === undefined) problems.push(`minimum ${name} usage per ${type} is ${bound}.  No request is specified`);
    else if (quantityMilli(request) < quantityMilli(bound))
      problems.push(`minimum ${name} usage per ${type} is ${bound}, but request is ${request}`);
  }
  for (const [name, bound] of Object.entries(max)) {
    const limit = limits[name];
    if (limit === undefined) problems.push(`maximum ${name} usage per ${type} is ${bound}.  No limit is specified`);
    else if (quantityMilli(limit) > quantityMilli(bound))
      problems.push(`maximum ${name} usage per ${type} is ${bound}, but limit is ${limit}`);
  }
  for (const [name, bound] of Object.entries(maxLimitRequestRatio)) {
    const ratio = quantityMilli(limits[name] ?? "0") / quantityMilli(requests[name] ?? "0");
    if (ratio * 1000 <= quantityMilli(bound)) continue;
    problems.push(`${name} max limit to request ratio per ${type} is ${bound}, but provided ratio is ${ratio.toFixed(6)}`);
  }
  return problems;
}

/** What a pod's containers want together, in thousandths; amounts that one of them leaves open count as nothing. */
function sumOf(containers: readonly Container[]): Resources {
  const add = (lists: readonly (Amounts | undefined)[]): Amounts => {
    const sums: Record<string, number> = {};
    for (const list of lists)
      for (const [name, amount] of Object.entries(list ?? {})) sums[name] = (sums[name] ?? 0) + quantityMilli(amount);
    return Object.fromEntries(Object.entries(sums).map(([name, milli]) => [name, milli % 1000 === 0 ? String(milli / 1000) : `${milli}m`]));
  };
  return {
    requests: add(containers.map(({ resources }) => resources?.requests)),
    limits: add(containers.map(({ resources }) => resources?.limits)),
  };
}
