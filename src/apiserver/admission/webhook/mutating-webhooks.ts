// MutatingAdmissionWebhook: webhooks are asked one after another, each about what those before it have made of the object.
import type { Resource } from "../../../api/index.ts";
import { applyJsonPatch, copyJson, deepEqual, internalError, PatchError } from "../../../machinery/index.ts";
import type { Draft } from "../../registry/draft.ts";
import type { AdmissionPlugin, AdmissionRequest } from "../admission.ts";
import { shownAs, takeShown } from "../matching/shown-object.ts";
import type { MutationPass } from "../mutation-pass.ts";
import { Reinvocations } from "../reinvocations.ts";
import { HookCaller, type HookTools } from "./hook-caller.ts";
import { type Hook, HookSource } from "./hooks.ts";

export class MutatingWebhooks implements AdmissionPlugin {
  readonly name = "MutatingAdmissionWebhook";
  readonly #source: HookSource;
  readonly #caller: HookCaller;

  constructor(tools: HookTools) {
    this.#source = new HookSource(tools, "mutatingwebhookconfigurations");
    this.#caller = new HookCaller(tools, { canPatch: true });
  }

  mayMutate(request: AdmissionRequest): boolean {
    return this.#source.hooks().some(({ matcher }) => matcher.matchRules(request) !== undefined);
  }

  mutate(request: AdmissionRequest, pass: MutationPass): void | Promise<void> {
    const hooks = this.#source.hooks().filter(({ matcher }) => matcher.matchRules(request) !== undefined);
    return hooks.length === 0 ? undefined : this.#askInTurn(hooks, request, pass);
  }

  async #askInTurn(hooks: readonly Hook[], request: AdmissionRequest, pass: MutationPass): Promise<void> {
    const reinvocations = pass.state(this, () => new Reinvocations());
    reinvocations.begin(pass, request.object);
    for (const [index, hook] of hooks.entries()) {
      const shown = await this.#caller.wanted(hook, request);
      if (shown === undefined || (pass.isReinvocation && !reinvocations.isDue(hook.id))) continue;
      const place = `round_${pass.isReinvocation ? 1 : 0}_index_${index}`;
      if (await this.#ask(hook, request, { shown, place })) reinvocations.changed(pass);
      if (hook.webhook.reinvocationPolicy === "IfNeeded") reinvocations.invoked(hook.id);
    }
    reinvocations.end(request.object);
  }

  /** Whether it has changed the object. `place` tells the call in the audit event. */
  async #ask(
    hook: Hook,
    request: AdmissionRequest,
    { shown, place }: { readonly shown: Resource; readonly place: string },
  ): Promise<boolean> {
    const { name } = hook.webhook;
    const { object, scope } = request;
    const result = await this.#caller.ask(hook, request, shown);
    if (result === undefined) scope.annotate?.(`failed-open.mutation.webhook.admission.k8s.io/${place}`, name);
    const { patch } = result ?? {};
    const isPatched = patch !== undefined && !(Array.isArray(patch) && patch.length === 0);
    if (isPatched && (object === undefined || request.operation === "CONNECT")) {
      const problem = `admission webhook "${name}" attempted to modify the object, which is not supported for this operation`;
      throw internalError(new Error(problem));
    }
    const before = copyJson(object);
    if (isPatched && object !== undefined) await takeShown(request, patched(await shownAs(request, object, shown), patch), shown);
    const mutated = isPatched && !deepEqual(before, object);
    const who = { configuration: hook.configuration, webhook: name };
    scope.annotate?.(`mutation.webhook.admission.k8s.io/${place}`, JSON.stringify({ ...who, mutated }));
    return mutated;
  }
}

function patched(object: Draft, patch: unknown): Draft {
  try {
    return copyJson(applyJsonPatch(object, patch)) as Draft;
  } catch (error) {
    throw error instanceof PatchError ? internalError(error) : error;
  }
}
