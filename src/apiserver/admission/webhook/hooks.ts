// The webhooks of all configurations, compiled, in the order in which they are called.
import { webhookEnvironment } from "../../../api/index.ts";
import type { MutatingWebhook, ValidatingWebhook } from "../../../api/types/admissionregistration/v1.ts";
import type { DeepReadonly, KubeObject } from "../../../machinery/index.ts";
import type { CacheEntry } from "../../watch-cache/cache-entry.ts";
import type { CompiledCondition } from "../matching/match-conditions.ts";
import { type MatcherView, RequestMatcher } from "../matching/matcher.ts";

export interface Hook {
  /** Tells hooks apart, also those of one name in different configurations. */
  readonly id: string;
  readonly configuration: string;
  readonly webhook: DeepReadonly<ValidatingWebhook & Pick<MutatingWebhook, "reinvocationPolicy">>;
  readonly matcher: RequestMatcher;
  /** Compiled when first needed: a configuration that never matches costs nothing. */
  conditions(): readonly CompiledCondition[];
}

interface Configuration extends KubeObject {
  readonly webhooks?: readonly (ValidatingWebhook & Pick<MutatingWebhook, "reinvocationPolicy">)[];
}

export class HookSource {
  readonly #view: MatcherView;
  readonly #prefix: string;
  #entries: readonly CacheEntry[] | undefined;
  #hooks: readonly Hook[] = [];
  /** Hooks stay with the entry they were made from, so that a change of one configuration compiles only that one. */
  readonly #byEntry = new WeakMap<CacheEntry, readonly Hook[]>();

  constructor(view: MatcherView, plural: string) {
    this.#view = view;
    this.#prefix = `/registry/admissionregistration.k8s.io/${plural}/`;
  }

  /** Sorted by the names of their configurations. */
  hooks(): readonly Hook[] {
    const entries = this.#view.cache.of(this.#prefix).entries(this.#prefix);
    if (entries !== this.#entries) {
      this.#entries = entries;
      this.#hooks = entries.flatMap((entry) => this.#hooksOf(entry));
    }
    return this.#hooks;
  }

  #hooksOf(entry: CacheEntry): readonly Hook[] {
    let hooks = this.#byEntry.get(entry);
    if (hooks === undefined) {
      const { metadata, webhooks = [] } = entry.object as DeepReadonly<Configuration>;
      // A webhook without rules sees nothing, unlike a binding, whose policy has rules of its own.
      hooks = webhooks.flatMap((webhook, index) =>
        (webhook.rules ?? []).length === 0 ? [] : [this.#hook(metadata.name ?? "", webhook, index)],
      );
      this.#byEntry.set(entry, hooks);
    }
    return hooks;
  }

  #hook(configuration: string, webhook: Hook["webhook"], index: number): Hook {
    const { rules, ...criteria } = webhook;
    let compiled: readonly CompiledCondition[] | undefined;
    return {
      id: `${configuration}/${webhook.name}/${index}`,
      configuration,
      webhook,
      matcher: new RequestMatcher({ ...criteria, resourceRules: rules }, this.#view),
      conditions() {
        compiled ??= (webhook.matchConditions ?? []).map(({ name, expression }) => {
          return { name, expression, program: webhookEnvironment.compile(expression) };
        });
        return compiled;
      },
    };
  }
}
