// The authorizer as expressions ask it. Expressions do not wait, but a decision may take time: then the evaluation is given up,
// and begun anew when the decision is there.
import type { AuthorizationAttributes, Authorizer, Decision } from "../../authz/authorizer.ts";

class DecisionPending extends Error {
  readonly code = "DECISION_PENDING";
  readonly decision: Promise<unknown>;

  constructor(decision: Promise<unknown>) {
    super("the decision is not there yet");
    this.decision = decision;
  }
}

/** Remembers the decisions that had to be waited for. Only for what `evaluatePatiently` runs. */
export class PatientAuthorizer {
  readonly #authorizer: Authorizer;
  readonly #known = new Map<string, Decision>();

  constructor(authorizer: Authorizer) {
    this.#authorizer = authorizer;
  }

  authorize(attributes: AuthorizationAttributes): Decision {
    const known = this.#known.size === 0 ? undefined : this.#known.get(JSON.stringify(attributes));
    if (known !== undefined) return known;
    const decision = this.#authorizer.authorize(attributes);
    if (!(decision instanceof Promise)) return decision;
    throw new DecisionPending(decision.then((late) => this.#known.set(JSON.stringify(attributes), late)));
  }
}

/** What `evaluate` answers: it is called once more for each decision that it would have had to wait for. */
export async function evaluatePatiently<T>(evaluate: () => T): Promise<T> {
  for (;;) {
    try {
      return evaluate();
    } catch (error) {
      if (!(error instanceof DecisionPending)) throw error;
      await error.decision;
    }
  }
}
