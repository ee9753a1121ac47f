// LimitRanger: defaults and limits of a namespace's LimitRanges for new pods and claims, and for pods that are resized.
import { podLimits, podRequests } from "../../api/index.ts";
import type { LimitRange, LimitRangeItem, Pod } from "../../api/types/core/v1.ts";
import { amountOf, type DeepReadonly, forbidden, Quantity, quantityMilli } from "../../machinery/index.ts";
import { fieldOf } from "../registry/draft.ts";
import { type AdmissionPlugin, type AdmissionRequest, isCreation } from "./admission.ts";
import { type ClusterView, lookUpAll } from "./cluster-view.ts";
import { type Container, podSpec } from "./pod-fields.ts";

const ANNOTATION = "kubernetes.io/limit-ranger";

type Amounts = Readonly<Record<string, string>>;
type Item = DeepReadonly<LimitRangeItem>;
type Draft = NonNullable<AdmissionRequest["object"]>;

interface Resources {
  readonly requests?: Amounts | undefined;
  readonly limits?: Amounts | undefined;
}

export class LimitRanger implements AdmissionPlugin {
  readonly name = "LimitRanger";
  readonly resources = ["/pods", "/persistentvolumeclaims"];
  readonly mayMutate = isCreation;
  readonly #view: ClusterView;

  constructor(view: ClusterView) {
    this.#view = view;
  }

  mutate(request: AdmissionRequest): void {
    const { operation, scope, object } = request;
    if (operation !== "CREATE" || scope.subresource !== "" || scope.resource.resource !== "pods" || object === undefined) return;
    const items = this.#items(request).filter(({ type }) => type === "Container");
    if (items.length > 0) setDefaults(object, items);
  }

  validate(request: AdmissionRequest): void {
    const { scope, object } = request;
    if (object === undefined || !isLimited(request)) return;
    const problems = this.#items(request).flatMap((item) => problemsOf(item, scope.resource.resource, object));
    if (problems.length === 0) return;
    const why = problems.length === 1 ? (problems[0] ?? "") : `[${problems.join(", ")}]`;
    throw forbidden(scope.resource, object.metadata.name ?? "", why);
  }

  #items({ scope }: AdmissionRequest): readonly Item[] {
    return lookUpAll<LimitRange>(this.#view, "core/limitranges", `${scope.namespace}/`).flatMap(({ spec }) => spec?.limits ?? []);
  }
}

/** Containers of pods change only by resizing. */
function isLimited({ operation, scope }: AdmissionRequest): boolean {
  const { resource, subresource } = scope;
  if (operation === "CREATE") return subresource === "";
  if (operation !== "UPDATE") return false;
  return subresource === (resource.resource === "pods" ? "resize" : "");
}

function setDefaults(object: Draft, items: readonly Item[]): void {
  const { containers = [], initContainers = [] } = podSpec(object);
  const notes: string[] = [];
  const fill = (container: Container, what: string) => {
    const resources = (container.resources ??= {});
    for (const item of items) {
      const requests = addMissing((resources.requests ??= {}), item.defaultRequest);
      const limits = addMissing((resources.limits ??= {}), item.default);
      if (requests.length > 0) notes.push(`${requests.join(", ")} request for ${what} ${container.name}`);
      if (limits.length > 0) notes.push(`${limits.join(", ")} limit for ${what} ${container.name}`);
    }
  };
  for (const container of containers) fill(container, "container");
  for (const container of initContainers) fill(container, "init container");
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

function problemsOf(item: Item, plural: string, object: Draft): string[] {
  if (plural === "persistentvolumeclaims") {
    if (item.type !== "PersistentVolumeClaim") return [];
    const { resources } = (fieldOf(object, "spec") ?? {}) as { readonly resources?: Resources };
    return claimProblems(item, resources?.requests ?? {});
  }
  const { containers = [], initContainers = [] } = podSpec(object);
  if (item.type === "Container") return [...containers, ...initContainers].flatMap(({ resources = {} }) => limitProblems(item, resources));
  return item.type === "Pod" ? limitProblems(item, sumOf(object as unknown as Pod)) : [];
}

/** Claims have no limits: what they request is held to both bounds. */
function claimProblems({ type, min = {}, max = {} }: Item, requests: Amounts): string[] {
  return [
    ...Object.entries(min).flatMap(([name, bound]) => minProblem(type, [name, bound], { requests })),
    ...Object.entries(max).flatMap(([name, bound]) => {
      const request = amountOf(requests, name);
      if (request === undefined) return [`maximum ${name} usage per ${type} is ${bound}.  No request is specified`];
      return quantityMilli(request) > quantityMilli(bound)
        ? [`maximum ${name} usage per ${type} is ${bound}, but request is ${request}`]
        : [];
    }),
  ];
}

function limitProblems({ type, min = {}, max = {}, maxLimitRequestRatio = {} }: Item, resources: Resources): string[] {
  return [
    ...Object.entries(min).flatMap((bound) => minProblem(type, bound, resources)),
    ...Object.entries(max).flatMap((bound) => maxProblem(type, bound, resources)),
    ...Object.entries(maxLimitRequestRatio).flatMap((bound) => ratioProblem(type, bound, resources)),
  ];
}

type Bound = readonly [name: string, quantity: string];

function minProblem(type: string, [name, bound]: Bound, { requests = {}, limits = {} }: Resources): string[] {
  const prefix = `minimum ${name} usage per ${type} is ${bound}`;
  const [request, limit] = [amountOf(requests, name), amountOf(limits, name)];
  if (request === undefined) return [`${prefix}.  No request is specified`];
  if (quantityMilli(request) < quantityMilli(bound)) return [`${prefix}, but request is ${request}`];
  return limit !== undefined && quantityMilli(limit) < quantityMilli(bound) ? [`${prefix}, but limit is ${limit}`] : [];
}

function maxProblem(type: string, [name, bound]: Bound, { requests = {}, limits = {} }: Resources): string[] {
  const prefix = `maximum ${name} usage per ${type} is ${bound}`;
  const [request, limit] = [amountOf(requests, name), amountOf(limits, name)];
  if (limit === undefined) return [`${prefix}.  No limit is specified`];
  if (quantityMilli(limit) > quantityMilli(bound)) return [`${prefix}, but limit is ${limit}`];
  return request !== undefined && quantityMilli(request) > quantityMilli(bound) ? [`${prefix}, but request is ${request}`] : [];
}

function ratioProblem(type: string, [name, bound]: Bound, { requests = {}, limits = {} }: Resources): string[] {
  const prefix = `${name} max limit to request ratio per ${type} is ${bound}`;
  const [request, limit] = [quantityMilli(amountOf(requests, name) ?? "0"), quantityMilli(amountOf(limits, name) ?? "0")];
  if (request === 0) return [`${prefix}, but no request is specified or request is 0`];
  if (limit === 0) return [`${prefix}, but no limit is specified or limit is 0`];
  const ratio = limit / request;
  return ratio * 1000 > quantityMilli(bound) ? [`${prefix}, but provided ratio is ${ratio.toFixed(6)}`] : [];
}

/** What a pod wants as a whole; an amount that one of its containers leaves open is left open. */
function sumOf(pod: DeepReadonly<Pod>): Resources {
  const containers = pod.spec?.containers ?? [];
  const sums = (
    side: "requests" | "limits",
    { cpuMilli, memoryBytes, ephemeralBytes, extended }: ReturnType<typeof podRequests>,
  ): Amounts => {
    const isSet = (name: string) =>
      pod.spec?.resources?.[side]?.[name] !== undefined || containers.every(({ resources }) => resources?.[side]?.[name] !== undefined);
    const all: readonly (readonly [string, bigint, "DecimalSI" | "BinarySI"])[] = [
      ["cpu", BigInt(cpuMilli) * 1_000_000n, "DecimalSI"],
      ["memory", BigInt(memoryBytes) * 1_000_000_000n, "BinarySI"],
      ["ephemeral-storage", BigInt(ephemeralBytes) * 1_000_000_000n, "BinarySI"],
      ...[...extended].map(([name, amount]) => [name, BigInt(amount) * 1_000_000_000n, "DecimalSI"] as const),
    ];
    return Object.fromEntries(
      all.filter(([name]) => isSet(name)).map(([name, nano, format]) => [name, new Quantity(nano, format).toString()]),
    );
  };
  return { requests: sums("requests", podRequests(pod)), limits: sums("limits", podLimits(pod)) };
}
