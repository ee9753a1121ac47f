// Policies with their bindings as the cache knows them, compiled when a request first needs them and kept until they change.
import type { MatchResources, ParamRef } from "../../../api/types/admissionregistration/v1.ts";
import type { DeepReadonly, KubeObject } from "../../../machinery/index.ts";
import type { CacheEntry } from "../../watch-cache/cache-entry.ts";
import type { AdmissionRequest } from "../admission.ts";
import { type MatcherView, RequestMatcher } from "../matching/matcher.ts";

interface AnyPolicy extends KubeObject {
  readonly spec?: { readonly matchConstraints?: MatchResources | undefined } | undefined;
}

interface AnyBinding extends KubeObject {
  readonly spec?:
    | {
        readonly policyName?: string | undefined;
        readonly matchResources?: MatchResources | undefined;
        readonly paramRef?: ParamRef | undefined;
      }
    | undefined;
}

export interface BoundPolicy<P, B, C> {
  readonly name: string;
  readonly policy: DeepReadonly<P>;
  readonly matcher: RequestMatcher;
  readonly bindings: readonly PolicyBinding<B>[];
  /** The policy's expressions. */
  compiled(): C;
}

export interface PolicyBinding<B> {
  readonly name: string;
  readonly binding: DeepReadonly<B>;
  /** Absent: the binding narrows nothing. */
  readonly matcher: RequestMatcher | undefined;
}

export interface PolicyPlurals {
  readonly policies: string;
  readonly bindings: string;
}

const GROUP_PREFIX = "/registry/admissionregistration.k8s.io/";

export class PolicySource<P extends AnyPolicy, B extends AnyBinding, C> {
  readonly #view: MatcherView;
  /** Prefixes of their keys. */
  readonly #prefixes: PolicyPlurals;
  readonly #compile: (policy: DeepReadonly<P>) => C;
  #policyEntries: readonly CacheEntry[] | undefined;
  #bindingEntries: readonly CacheEntry[] | undefined;
  #bound: readonly BoundPolicy<P, B, C>[] = [];
  /** By the entry of the policy: what was compiled outlives changes of bindings. */
  readonly #known = new WeakMap<CacheEntry, Pick<BoundPolicy<P, B, C>, "matcher" | "compiled">>();

  constructor(view: MatcherView, plurals: PolicyPlurals, compile: (policy: DeepReadonly<P>) => C) {
    this.#view = view;
    this.#prefixes = { policies: `${GROUP_PREFIX}${plurals.policies}/`, bindings: `${GROUP_PREFIX}${plurals.bindings}/` };
    this.#compile = compile;
  }

  /** Those whose rules cover the request, sorted by name. */
  policiesFor(request: AdmissionRequest): readonly BoundPolicy<P, B, C>[] {
    const policies = this.#boundPolicies();
    const { group, resource } = request.scope.resource;
    if (policies.length === 0 || unseenByPolicies.has(`${group}/${resource}`)) return [];
    return policies.filter(({ matcher }) => matcher.matchRules(request) !== undefined);
  }

  /** Policies that are bound; one without a binding does nothing. */
  #boundPolicies(): readonly BoundPolicy<P, B, C>[] {
    const policies = this.#entries(this.#prefixes.policies);
    const bindings = this.#entries(this.#prefixes.bindings);
    if (policies !== this.#policyEntries || bindings !== this.#bindingEntries) {
      this.#policyEntries = policies;
      this.#bindingEntries = bindings;
      this.#bound = this.#bind(policies, bindings);
    }
    return this.#bound;
  }

  #entries(prefix: string): readonly CacheEntry[] {
    return this.#view.cache.of(prefix).entries(prefix);
  }

  #bind(policies: readonly CacheEntry[], bindingEntries: readonly CacheEntry[]): BoundPolicy<P, B, C>[] {
    const byPolicy = Map.groupBy(bindingEntries, ({ object }) => (object as DeepReadonly<AnyBinding>).spec?.policyName ?? "");
    return policies.flatMap((entry) => {
      const name = entry.object.metadata.name ?? "";
      const bindings = (byPolicy.get(name) ?? []).map((binding) => this.#binding(binding));
      if (bindings.length === 0) return [];
      return [{ name, policy: entry.object as unknown as DeepReadonly<P>, bindings, ...this.#policyParts(entry) }];
    });
  }

  #policyParts(entry: CacheEntry): Pick<BoundPolicy<P, B, C>, "matcher" | "compiled"> {
    let parts = this.#known.get(entry);
    if (parts === undefined) {
      const policy = entry.object as unknown as DeepReadonly<P>;
      const { spec } = entry.object as DeepReadonly<AnyPolicy>;
      let compiled: { readonly result: C } | undefined;
      parts = {
        matcher: new RequestMatcher(spec?.matchConstraints ?? {}, this.#view),
        compiled: () => {
          compiled ??= { result: this.#compile(policy) };
          return compiled.result;
        },
      };
      this.#known.set(entry, parts);
    }
    return parts;
  }

  #binding({ object }: CacheEntry): PolicyBinding<B> {
    const { metadata, spec } = object as DeepReadonly<AnyBinding>;
    const matcher = spec?.matchResources === undefined ? undefined : new RequestMatcher(spec.matchResources, this.#view);
    return { name: metadata.name ?? "", binding: object as unknown as DeepReadonly<B>, matcher };
  }
}

/** Resources that policies never see: they only ask, and no object comes of them. */
const unseenByPolicies: ReadonlySet<string> = new Set([
  "authentication.k8s.io/selfsubjectreviews",
  "authentication.k8s.io/tokenreviews",
  "authorization.k8s.io/localsubjectaccessreviews",
  "authorization.k8s.io/selfsubjectaccessreviews",
  "authorization.k8s.io/selfsubjectrulesreviews",
  "authorization.k8s.io/subjectaccessreviews",
]);
