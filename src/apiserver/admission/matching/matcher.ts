// Which requests a webhook, a policy or a binding wants to see, and as which version of their resource.
import type { Resource, ResourceCatalog } from "../../../api/index.ts";
import type { MatchResources } from "../../../api/types/admissionregistration/v1.ts";
import {
  type DeepReadonly,
  type KubeObject,
  type LabelSelector,
  type LabelSelectorMatcher,
  labelSelectorMatcher,
} from "../../../machinery/index.ts";
import { resourcePrefix } from "../../registry/key.ts";
import type { AdmissionRequest } from "../admission.ts";
import { type ClusterView, lookUp } from "../cluster-view.ts";
import { nameOfRequest } from "./request-identity.ts";
import { type Rule, ruleCovers } from "./rules.ts";

export interface MatcherView extends ClusterView {
  readonly catalog: ResourceCatalog;
}

/** Resources that are never shown: whoever breaks admission must be able to repair it. */
const exempt = new Set(
  [
    "validatingwebhookconfigurations",
    "mutatingwebhookconfigurations",
    "validatingadmissionpolicies",
    "validatingadmissionpolicybindings",
    "mutatingadmissionpolicies",
    "mutatingadmissionpolicybindings",
  ].map((plural) => `admissionregistration.k8s.io/${plural}`),
);

export class RequestMatcher {
  readonly #view: MatcherView;
  readonly #rules: readonly Rule[];
  readonly #excluded: readonly Rule[];
  readonly #isExact: boolean;
  readonly #namespaces: LabelSelectorMatcher | undefined;
  readonly #objects: LabelSelectorMatcher | undefined;

  constructor(criteria: DeepReadonly<MatchResources>, view: MatcherView) {
    this.#view = view;
    this.#rules = criteria.resourceRules ?? [];
    this.#excluded = criteria.excludeResourceRules ?? [];
    this.#isExact = criteria.matchPolicy === "Exact";
    this.#namespaces = selective(criteria.namespaceSelector);
    this.#objects = selective(criteria.objectSelector);
  }

  /** The resource as which the request is to be shown; undefined when it is not wanted. Without rules every request is. */
  async match(request: AdmissionRequest): Promise<Resource | undefined> {
    const resource = this.matchRules(request);
    if (resource === undefined || !this.#objectMatches(request)) return undefined;
    return (await this.#namespaceMatches(request)) ? resource : undefined;
  }

  /** The same by the rules alone. */
  matchRules(request: AdmissionRequest): Resource | undefined {
    const { resource } = request.scope;
    if (exempt.has(`${resource.group}/${resource.resource}`)) return undefined;
    if (this.#excluded.length > 0 && this.#shownAs(this.#excluded, request) !== undefined) return undefined;
    return this.#rules.length === 0 ? resource : this.#shownAs(this.#rules, request);
  }

  #shownAs(rules: readonly Rule[], request: AdmissionRequest): Resource | undefined {
    const { operation, scope } = request;
    const { resource, subresource } = scope;
    const name = nameOfRequest(request);
    if (rules.some((rule) => ruleCovers(rule, { operation, resource, subresource, name }))) return resource;
    if (this.#isExact) return undefined;
    for (const rule of rules) {
      for (const other of equivalents(this.#view.catalog, resource)) {
        const has = subresource === "" || other.subresources[subresource] !== undefined;
        if (has && ruleCovers(rule, { operation, resource: other, subresource, name })) return other;
      }
    }
    return undefined;
  }

  #objectMatches({ object, old }: AdmissionRequest): boolean {
    if (this.#objects === undefined) return true;
    return [object, old].some((candidate) => candidate?.metadata !== undefined && this.#objects?.matches(candidate.metadata.labels));
  }

  /** Namespaces are selected by their own labels, other cluster-scoped objects always. */
  async #namespaceMatches({ scope, object, operation }: AdmissionRequest): Promise<boolean> {
    if (this.#namespaces === undefined) return true;
    const isNamespace = scope.resource.group === "" && scope.resource.resource === "namespaces";
    if (isNamespace && scope.subresource === "" && object !== undefined && operation !== "DELETE") {
      return this.#namespaces.matches(object.metadata.labels);
    }
    const name = isNamespace ? scope.name : scope.namespace;
    if (name === "") return true;
    const namespace = await lookUp<KubeObject>(this.#view, "core/namespaces", name);
    return namespace !== undefined && this.#namespaces.matches(namespace.metadata.labels);
  }
}

/** An empty selector selects everything, and need not be asked. */
function selective(selector: DeepReadonly<LabelSelector> | undefined): LabelSelectorMatcher | undefined {
  const { matchLabels = {}, matchExpressions = [] } = selector ?? {};
  return Object.keys(matchLabels).length + matchExpressions.length === 0 ? undefined : labelSelectorMatcher(selector);
}

interface Equivalents {
  readonly all: readonly Resource[];
  readonly resources: readonly Resource[];
}

const known = new WeakMap<Resource, Equivalents>();

/** The other versions (and groups) in which objects of `resource` are served. */
function equivalents(catalog: ResourceCatalog, resource: Resource): readonly Resource[] {
  const all = catalog.all();
  const found = known.get(resource);
  if (found?.all === all) return found.resources;
  const prefix = resourcePrefix(resource);
  const resources = all.filter((other) => other !== resource && resourcePrefix(other) === prefix);
  known.set(resource, { all, resources });
  return resources;
}
