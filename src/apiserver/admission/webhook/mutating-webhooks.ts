// MutatingAdmissionWebhook: webhooks are asked one after another, each about what those before it have made of the object.
import type { Resource } from "../../../api/index.ts";
import { applyJsonPatch, deepEqual, internalError, PatchError } from "../../../machinery/index.ts";
import { copyJson, type Draft } from "../../registry/draft.ts";
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

  mutate(request: AdmissionRequest, pass: MutationPass): void | Promise<void> {
    const hooks = this.#source.hooks().filter(({ matcher }) => matcher.matchRules(request) !== undefined);
    return hooks.length === 0 ? undefined : this.#askInTurn(hooks, request, pass);
  }

  async #askInTurn(hooks: readonly Hook[], request: AdmissionRequest, pass: MutationPass): Promise<void> {
    const reinvocations = pass.state(this, () => new Reinvocations());
    reinvocations.begin(pass, request.object);
    for (const hook of hooks) {
      const shown = await this.#caller.wanted(hook, request);
      if (shown === undefined || (pass.isReinvocation && !reinvocations.isDue(hook.id))) continue;
      if (await this.#ask(hook, request, shown)) reinvocations.changed(pass);
      if (hook.webhook.reinvocationPolicy === "IfNeeded") reinvocations.invoked(hook.id);
    }
    reinvocations.end(request.object);
  }

  /** Whether it has changed the object. */
  async #ask(hook: Hook, request: AdmissionRequest, shown: Resource): Promise<boolean> {
    const { name } = hook.webhook;
    const result = await this.#caller.ask(hook, request, shown);
    const { patch } = result ?? {};
    if (patch === undefined || (Array.isArray(patch) && patch.length === 0)) return false;
    const { object } = request;
    if (object === undefined || request.operation === "CONNECT") {
      const problem = `admission webhook "${name}" attempted to modify the object, which is not supported for this operation`;
      throw internalError(new Error(problem));
    }
    const before = copyJson(object);
    await takeShown(request, patched(await shownAs(request, object, shown), patch), shown);
    return !deepEqual(before, object);
  }
}

function patched(object: Draft, patch: unknown): Draft {
  try {
    return copyJson(applyJsonPatch(object, patch)) as Draft;
  } catch (error) {
    throw error instanceof PatchError ? internalError(error) : error;
  }
}
