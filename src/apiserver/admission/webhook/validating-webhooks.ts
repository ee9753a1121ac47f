// ValidatingAdmissionWebhook: all webhooks that want to see a request are asked at once; one no is enough.
import type { AdmissionPlugin, AdmissionRequest } from "../admission.ts";
import { HookCaller, type HookTools } from "./hook-caller.ts";
import { type Hook, HookSource } from "./hooks.ts";

export class ValidatingWebhooks implements AdmissionPlugin {
  readonly name = "ValidatingAdmissionWebhook";
  readonly #source: HookSource;
  readonly #caller: HookCaller;

  constructor(tools: HookTools) {
    this.#source = new HookSource(tools, "validatingwebhookconfigurations");
    this.#caller = new HookCaller(tools, { canPatch: false });
  }

  validate(request: AdmissionRequest): void | Promise<void> {
    const hooks = this.#source.hooks().filter(({ matcher }) => matcher.matchRules(request) !== undefined);
    return hooks.length === 0 ? undefined : this.#askAll(hooks, request);
  }

  async #askAll(hooks: readonly Hook[], request: AdmissionRequest): Promise<void> {
    const wanted = await Promise.all(hooks.map(async (hook) => ({ hook, shown: await this.#caller.wanted(hook, request) })));
    const answers = await Promise.allSettled(
      wanted.map(async ({ hook, shown }, index) => {
        if (shown === undefined || (await this.#caller.ask(hook, request, shown)) !== undefined) return;
        request.scope.annotate?.(`failed-open.validating.webhook.admission.k8s.io/round_0_index_${index}`, hook.webhook.name);
      }),
    );
    for (const answer of answers) if (answer.status === "rejected") throw answer.reason;
  }
}
