// The CEL of an AuthenticationConfiguration: what its expressions see of a token's claims, and of the user that these make.
import { CelCompileError, CelEnvironment, type CelProgram, listOf, objectOf } from "../../machinery/cel/index.ts";
import { type FieldError, field } from "../../machinery/index.ts";

export interface CompiledExpression {
  readonly expression: string;
  readonly program: CelProgram;
}

/** A rule that must hold; `message` says why not. */
export interface CompiledRule extends CompiledExpression {
  readonly message: string;
}

const claims = new CelEnvironment({ variables: { claims: { kind: "map", key: "string", value: "dyn" } } });
const user = new CelEnvironment({
  variables: {
    user: objectOf("kubernetes.UserInfo", {
      username: "string",
      uid: "string",
      groups: listOf("string"),
      extra: { kind: "map", key: "string", value: listOf("string") },
    }),
  },
});
const environments = { claims, user };

export interface ExpressionKind {
  readonly over: keyof typeof environments;
  /** Rules are true or false; mappings may be of any type. */
  readonly isRule: boolean;
}

/** undefined for what does not compile, which is pushed to `errors`. */
export function compileJwtExpression(
  errors: FieldError[],
  path: string,
  expression: string,
  { over, isRule }: ExpressionKind,
): CompiledExpression | undefined {
  try {
    const program = environments[over].compile(expression);
    if (!isRule || program.resultType === "bool") return { expression, program };
    errors.push(field.invalid(path, expression, "must evaluate to bool"));
  } catch (error) {
    if (!(error instanceof CelCompileError)) throw error;
    errors.push(field.invalid(path, expression, error.message));
  }
  return undefined;
}
