// `$(NAME)` references in commands, arguments and values.

/**
 * Replaces `$(NAME)` by `lookup(NAME)`; an unknown reference stays as it is, `$$` stands for one `$`.
 * @see https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/
 */
export function expand(text: string, lookup: (name: string) => string | undefined): string {
  if (!text.includes("$")) return text;
  return text.replace(/\$\$|\$\(([^)]*)\)/g, (reference, name: string | undefined) =>
    name === undefined ? "$" : (lookup(name) ?? reference),
  );
}
