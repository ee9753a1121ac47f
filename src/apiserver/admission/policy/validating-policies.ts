// ValidatingAdmissionPolicy: policies with bindings judge requests by their expressions.
import type { ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding } from "../../../api/types/admissionregistration/v1.ts";
import { forbidden, StatusError } from "../../../machinery/index.ts";
import type { Authorizer } from "../../authz/authorizer.ts";
import type { AdmissionPlugin, AdmissionRequest } from "../admission.ts";
import { celVariables } from "../matching/cel-variables.ts";
import { evaluateConditions } from "../matching/match-conditions.ts";
import { evaluatePatiently } from "../matching/patient-authorizer.ts";
import { nameOfRequest } from "../matching/request-identity.ts";
import { AuditNotes } from "./audit-notes.ts";
import { policyVariables } from "./compiled-policy.ts";
import { CostBudget } from "./cost-budget.ts";
import { findInvocations, type Invocation, namespaceOf } from "./invocations.ts";
import type { ParamView } from "./params.ts";
import { type BoundPolicy, PolicySource } from "./policy-source.ts";
import { type CompiledValidatingPolicy, compileValidatingPolicy, evaluateValidations, type Verdict } from "./validation.ts";

export interface PolicyTools extends ParamView {
  readonly authorizer: Authorizer;
}

type Bound = BoundPolicy<ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding, CompiledValidatingPolicy>;
type Invoked = Invocation<ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding, CompiledValidatingPolicy>;

interface Denial {
  readonly policy: string;
  readonly binding: string | undefined;
  readonly message: string;
  readonly reason: string;
}

const reasonCodes: Readonly<Record<string, number>> = { Unauthorized: 401, Forbidden: 403, RequestEntityTooLarge: 413, Invalid: 422 };

export class ValidatingPolicies implements AdmissionPlugin {
  readonly name = "ValidatingAdmissionPolicy";
  readonly #tools: PolicyTools;
  readonly #source: PolicySource<ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding, CompiledValidatingPolicy>;

  constructor(tools: PolicyTools) {
    this.#tools = tools;
    const plurals = { policies: "validatingadmissionpolicies", bindings: "validatingadmissionpolicybindings" };
    this.#source = new PolicySource(tools, plurals, compileValidatingPolicy);
  }

  validate(request: AdmissionRequest): void | Promise<void> {
    const policies = this.#source.policiesFor(request);
    return policies.length === 0 ? undefined : this.#judge(policies, request);
  }

  async #judge(policies: readonly Bound[], request: AdmissionRequest): Promise<void> {
    const { invocations, misconfigured } = await findInvocations(this.#tools, policies, request);
    const denials: Denial[] = misconfigured
      .filter(({ bound }) => !ignoresErrors(bound))
      .map(({ bound, binding, message }) => ({ policy: bound.name, binding: binding?.name, message, reason: "Invalid" }));
    const namespace = invocations.length === 0 ? null : await namespaceOf(this.#tools, request);
    const notes = new AuditNotes();
    for (const invocation of invocations) {
      const verdict = await this.#evaluate(invocation, request, namespace);
      notes.add(invocation.bound.name, verdict.annotations);
      denials.push(...carryOut(invocation, request, verdict));
    }
    notes.publish(request);
    const [first] = denials;
    if (first !== undefined) throw refusal(request, first);
  }

  async #evaluate({ bound, shown, params }: Invoked, request: AdmissionRequest, namespaceObject: unknown): Promise<Verdict> {
    const compiled = bound.compiled();
    const base = await celVariables(request, shown, this.#tools.authorizer);
    return evaluatePatiently(() => {
      const budget = new CostBudget();
      const variables = policyVariables(base, { params, namespaceObject }, { variables: compiled.variables, budget });
      const { matches, error } = evaluateConditions(compiled.conditions, variables);
      const nothing: Verdict = { failures: [], annotations: {}, annotationErrors: [] };
      if (error !== undefined) {
        return ignoresErrors(bound) ? nothing : { ...nothing, failures: [{ index: 0, message: error, reason: "Invalid" }] };
      }
      return matches ? evaluateValidations(compiled, variables, { budget, ignoresErrors: ignoresErrors(bound) }) : nothing;
    });
  }
}

/** Warns, notes and denies, as the binding wants it. */
function carryOut(invocation: Invoked, request: AdmissionRequest, { failures, annotationErrors }: Verdict): Denial[] {
  const { bound, binding } = invocation;
  const validationActions = binding.binding.spec.validationActions ?? [];
  const names = { policy: bound.name, binding: binding.name };
  const denials: Denial[] = annotationErrors.map((message) => ({ ...names, message, reason: "Invalid" }));
  for (const { index, message, reason } of failures) {
    if (validationActions.includes("Deny")) denials.push({ ...names, message, reason });
    if (validationActions.includes("Audit")) {
      const value = [{ message, ...names, expressionIndex: index, validationActions }];
      request.scope.annotate?.("validation.policy.admission.k8s.io/validation_failure", JSON.stringify(value));
    }
    if (validationActions.includes("Warn")) {
      const who = `ValidatingAdmissionPolicy '${bound.name}' with binding '${binding.name}'`;
      request.scope.warn?.(`Validation failed for ${who}: ${message}`);
    }
  }
  return denials;
}

function ignoresErrors({ policy }: Bound): boolean {
  return policy.spec?.failurePolicy === "Ignore";
}

function refusal(request: AdmissionRequest, { policy, binding, message, reason }: Denial): StatusError {
  const by = binding === undefined ? "" : ` with binding '${binding}'`;
  const text = `ValidatingAdmissionPolicy '${policy}'${by} denied request: ${message}`;
  const { status } = forbidden(request.scope.resource, nameOfRequest(request), text);
  const details = { ...status.details, causes: [{ message: text }] };
  return new StatusError({ ...status, reason, code: reasonCodes[reason] ?? 500, details });
}
