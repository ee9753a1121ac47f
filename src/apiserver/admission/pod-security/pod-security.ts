// PodSecurity: holds pods to the level that their namespace's labels enforce, and warns about workloads whose pods would
// not pass and about pods that a new level would not let in.
import type { Pod } from "../../../api/types/core/v1.ts";
import { type DeepReadonly, deepEqual, forbidden, internalError, invalid, type KubeObject } from "../../../machinery/index.ts";
import type { AdmissionPlugin, AdmissionRequest } from "../admission.ts";
import { type ClusterView, lookUp, lookUpAll, lookUpCached } from "../cluster-view.ts";
import { evaluatePod, formatViolations, type PodLike } from "./evaluate.ts";
import { formatLevel, hasPolicy, isStricter, type LevelVersion, type PodSecurityPolicy, policyOf } from "./levels.ts";

/** Pods beyond these are not looked at when a namespace's level changes. */
const MAX_PODS_TO_CHECK = 3000;
const ANNOTATION = "pod-security.kubernetes.io/";
const NAMESPACES = "/namespaces";
const PODS = "/pods";

type Template = (object: DeepReadonly<KubeObject>) => PodLike | undefined;

interface WithTemplate {
  readonly template?: PodLike;
  readonly spec?: WithTemplate & { readonly jobTemplate?: WithTemplate };
}

const templateOfSpec: Template = (object) => (object as WithTemplate).spec?.template;

/** Where the workloads keep their pod template, by `group/plural`. */
const templates: Readonly<Record<string, Template>> = {
  "/podtemplates": (object) => (object as WithTemplate).template,
  "/replicationcontrollers": templateOfSpec,
  "apps/daemonsets": templateOfSpec,
  "apps/deployments": templateOfSpec,
  "apps/replicasets": templateOfSpec,
  "apps/statefulsets": templateOfSpec,
  "batch/cronjobs": (object) => (object as WithTemplate).spec?.jobTemplate?.spec?.template,
  "batch/jobs": templateOfSpec,
};

/** Of pods: these do not change what runs in them. */
const ignoredSubresources = new Set(["attach", "binding", "eviction", "exec", "log", "portforward", "proxy", "status"]);

export class PodSecurity implements AdmissionPlugin {
  readonly name = "PodSecurity";
  readonly resources = [NAMESPACES, PODS, ...Object.keys(templates)];
  readonly #view: ClusterView;

  constructor(view: ClusterView) {
    this.#view = view;
  }

  validate(request: AdmissionRequest): void | Promise<void> {
    const { operation, scope } = request;
    if (request.object === undefined || (operation !== "CREATE" && operation !== "UPDATE")) return undefined;
    const id = `${scope.resource.group}/${scope.resource.resource}`;
    if (id !== NAMESPACES && this.#isUnlabelled(scope.namespace)) return undefined;
    if (id === PODS) return ignoredSubresources.has(scope.subresource) ? undefined : this.#checkPod(request);
    if (scope.subresource !== "") return undefined;
    return id === NAMESPACES ? this.#checkNamespace(request) : this.#checkWorkload(request, templates[id]?.(request.object));
  }

  /** The usual case, which costs no waiting. */
  #isUnlabelled(namespace: string): boolean {
    const cached = lookUpCached<KubeObject>(this.#view, "core/namespaces", namespace);
    return cached !== undefined && !hasPolicy(cached.metadata.labels);
  }

  async #checkPod(request: AdmissionRequest): Promise<void> {
    const policy = await this.#policy(request);
    if (Object.values(policy).every(({ level }) => level === "privileged")) return;
    const pod = request.object as unknown as Pod;
    if (request.old !== undefined && !isSignificant(pod, request.old as DeepReadonly<Pod>)) return;
    request.scope.annotate?.(`${ANNOTATION}enforce-policy`, formatLevel(policy.enforce));
    note(request, policy.audit, pod);
    const violations = evaluatePod(policy.enforce, pod);
    if (violations.length > 0) {
      const why = `violates PodSecurity "${formatLevel(policy.enforce)}": ${formatViolations(violations)}`;
      throw forbidden(request.scope.resource, pod.metadata.name ?? request.scope.name, why);
    }
    warn(request, policy.warn, pod);
  }

  async #checkWorkload(request: AdmissionRequest, template: PodLike | undefined): Promise<void> {
    if (template === undefined) return;
    const policy = await this.#policy(request);
    note(request, policy.audit, template);
    warn(request, policy.warn, template);
  }

  #checkNamespace({ object, old, scope }: AdmissionRequest): void {
    const name = object?.metadata.name ?? "";
    const { policy, errors } = policyOf(object?.metadata.labels);
    const before = old === undefined ? undefined : policyOf(old.metadata.labels);
    const isNew = before === undefined || !deepEqual(errors, before.errors);
    if (errors.length > 0 && isNew) throw invalid({ group: "", kind: "Namespace" }, name, errors);
    if (before === undefined || !isTightened(policy.enforce, before.policy.enforce)) return;
    for (const warning of this.#warningsAbout(name, policy.enforce)) scope.warn?.(warning);
  }

  async #policy({ scope }: AdmissionRequest): Promise<PodSecurityPolicy> {
    const namespace = await lookUp<KubeObject>(this.#view, "core/namespaces", scope.namespace);
    if (namespace === undefined) throw internalError(new Error(`failed to lookup namespace "${scope.namespace}"`));
    return policyOf(namespace.metadata.labels).policy;
  }

  /** Pods of the namespace that the new level would refuse, those with the same reasons together. */
  #warningsAbout(namespace: string, enforce: LevelVersion): string[] {
    const all = lookUpAll<Pod>(this.#view, "core/pods", `${namespace}/`);
    const byReasons = new Map<string, string[]>();
    for (const pod of all.slice(0, MAX_PODS_TO_CHECK)) {
      const reasons = evaluatePod(enforce, pod).map(({ reason }) => reason);
      if (reasons.length === 0) continue;
      const key = reasons.join(", ");
      byReasons.set(key, [...(byReasons.get(key) ?? []), pod.metadata.name ?? ""]);
    }
    const warnings: string[] = [];
    if (all.length > MAX_PODS_TO_CHECK) {
      warnings.push(`new PodSecurity enforce level only checked against the first ${MAX_PODS_TO_CHECK} of ${all.length} existing pods`);
    }
    if (byReasons.size === 0) return warnings;
    warnings.push(`existing pods in namespace "${namespace}" violate the new PodSecurity enforce level "${formatLevel(enforce)}"`);
    return [...warnings, ...[...byReasons].map(([reasons, names]) => `${podsText(names)}: ${reasons}`).sort()];
  }
}

/** For the audit log. */
function note({ scope }: AdmissionRequest, level: LevelVersion, pod: PodLike): void {
  const violations = scope.annotate === undefined ? [] : evaluatePod(level, pod);
  if (violations.length === 0) return;
  scope.annotate?.(`${ANNOTATION}audit-violations`, `would violate PodSecurity "${formatLevel(level)}": ${formatViolations(violations)}`);
}

function warn({ scope }: AdmissionRequest, level: LevelVersion, pod: PodLike): void {
  const violations = scope.warn === undefined ? [] : evaluatePod(level, pod);
  if (violations.length > 0) scope.warn?.(`would violate PodSecurity "${formatLevel(level)}": ${formatViolations(violations)}`);
}

/** Whether pods that were let in before may not be now. */
function isTightened(now: LevelVersion, before: LevelVersion): boolean {
  if (now.level === "privileged" || (now.level === before.level && now.version === before.version)) return false;
  return now.version !== before.version || isStricter(now.level, before.level);
}

function podsText(names: readonly string[]): string {
  const [first = ""] = [...names].sort();
  const others = names.length - 1;
  if (others === 0) return first;
  return others === 1 ? `${first} (and 1 other pod)` : `${first} (and ${others} other pods)`;
}

/** Of what an update of a pod can change, images and new ephemeral containers matter. */
function isSignificant({ spec }: DeepReadonly<Pod>, { spec: old }: DeepReadonly<Pod>): boolean {
  const images = (of: DeepReadonly<Pod>["spec"]) =>
    [of?.initContainers, of?.containers, of?.ephemeralContainers].map((list) => (list ?? []).map(({ name, image }) => [name, image]));
  return !deepEqual(images(spec), images(old));
}
