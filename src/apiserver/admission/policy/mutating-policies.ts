// MutatingAdmissionPolicy: policies with bindings change objects by what their expressions make.
import type { MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding } from "../../../api/types/admissionregistration/v1.ts";
import { copyJson, type DeepReadonly, deepEqual, forbidden, type KubeObject, StatusError } from "../../../machinery/index.ts";
import type { Draft } from "../../registry/draft.ts";
import type { AdmissionPlugin, AdmissionRequest } from "../admission.ts";
import { celVariables } from "../matching/cel-variables.ts";
import { evaluateConditions } from "../matching/match-conditions.ts";
import { evaluatePatiently } from "../matching/patient-authorizer.ts";
import { nameOfRequest } from "../matching/request-identity.ts";
import { shownAs, shownFacts, takeShown } from "../matching/shown-object.ts";
import type { MutationPass } from "../mutation-pass.ts";
import { Reinvocations } from "../reinvocations.ts";
import { policyVariables } from "./compiled-policy.ts";
import { CostBudget } from "./cost-budget.ts";
import { findInvocations, type Invocation, namespaceOf } from "./invocations.ts";
import { type CompiledMutatingPolicy, compileMutatingPolicy, mutated } from "./mutation.ts";
import { PolicyError } from "./policy-error.ts";
import { type BoundPolicy, PolicySource } from "./policy-source.ts";
import type { PolicyTools } from "./validating-policies.ts";

type Bound = BoundPolicy<MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding, CompiledMutatingPolicy>;
type Invoked = Invocation<MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding, CompiledMutatingPolicy>;

interface Problem {
  readonly bound: Bound;
  readonly binding: string | undefined;
  readonly message: string;
  readonly reason?: string;
}

export class MutatingPolicies implements AdmissionPlugin {
  readonly name = "MutatingAdmissionPolicy";
  readonly #tools: PolicyTools;
  readonly #source: PolicySource<MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding, CompiledMutatingPolicy>;

  constructor(tools: PolicyTools) {
    this.#tools = tools;
    const plurals = { policies: "mutatingadmissionpolicies", bindings: "mutatingadmissionpolicybindings" };
    this.#source = new PolicySource(tools, plurals, compileMutatingPolicy);
  }

  mayMutate(request: AdmissionRequest): boolean {
    return this.#source.policiesFor(request).length > 0;
  }

  mutate(request: AdmissionRequest, pass: MutationPass): void | Promise<void> {
    if (request.object === undefined) return undefined;
    const policies = this.#source.policiesFor(request);
    return policies.length === 0 ? undefined : this.#applyAll(policies, request, pass);
  }

  async #applyAll(policies: readonly Bound[], request: AdmissionRequest, pass: MutationPass): Promise<void> {
    const { invocations, misconfigured } = await findInvocations(this.#tools, policies, request);
    const problems: Problem[] = misconfigured.map(({ bound, binding, message }) => ({ bound, binding: binding?.name, message }));
    const namespace = invocations.length === 0 ? null : await namespaceOf(this.#tools, request);
    const reinvocations = pass.state(this, () => new Reinvocations());
    reinvocations.begin(pass, request.object);
    for (const invocation of invocations) {
      const id = idOf(invocation);
      if (pass.isReinvocation && !reinvocations.isDue(id)) continue;
      const before = copyJson(request.object);
      try {
        await this.#apply(invocation, request, namespace);
      } catch (error) {
        if (!(error instanceof PolicyError)) throw error;
        problems.push({ bound: invocation.bound, binding: invocation.binding.name, message: error.message, reason: "Invalid" });
      }
      if (!deepEqual(before, request.object)) reinvocations.changed(pass);
      if (invocation.bound.policy.spec?.reinvocationPolicy === "IfNeeded") reinvocations.invoked(id);
    }
    reinvocations.end(request.object);
    const serious = problems.filter(({ bound }) => bound.policy.spec?.failurePolicy !== "Ignore");
    if (serious.length > 0) throw refusal(request, serious);
  }

  /** Each mutation sees what the one before it has made. Throws PolicyError. */
  async #apply(
    { bound, shown, params }: Invoked,
    request: AdmissionRequest,
    namespaceObject: DeepReadonly<KubeObject> | null,
  ): Promise<void> {
    const compiled = bound.compiled();
    const budget = new CostBudget();
    const variablesNow = async () => {
      const base = await celVariables(request, shown, this.#tools.authorizer);
      return policyVariables(base, { params, namespaceObject }, { variables: compiled.variables, budget });
    };
    const before = await variablesNow();
    const { matches, error } = await evaluatePatiently(() => evaluateConditions(compiled.conditions, before));
    if (error !== undefined) throw new PolicyError(error);
    if (!matches) return;
    for (const mutation of compiled.mutations) {
      const object = await shownAs(request, request.object as Draft, shown);
      const tools = { variables: await variablesNow(), budget, facts: shownFacts(request, shown) };
      const result = await evaluatePatiently(() => mutated(object, mutation, tools));
      if (result !== object) await takeShown(request, copyJson(result), shown);
    }
  }
}

function idOf({ bound, binding, params }: Invoked): string {
  return [bound.name, binding.name, params?.metadata.namespace ?? "", params?.metadata.name ?? ""].join("/");
}

function refusal(request: AdmissionRequest, problems: readonly Problem[]): StatusError {
  const { status } = forbidden(request.scope.resource, nameOfRequest(request), "admission request denied by policy");
  const causes = problems.map(({ bound, binding, message }) => {
    const by = binding === undefined ? "" : ` with binding '${binding}'`;
    return { message: `policy '${bound.name}'${by} denied request: ${message}` };
  });
  const [first] = problems;
  const reason = first?.reason === undefined ? {} : { reason: first.reason };
  return new StatusError({ ...status, message: causes[0]?.message ?? "", ...reason, details: { ...status.details, causes } });
}
