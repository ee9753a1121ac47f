// A policy or binding that cannot be carried out as it stands: treated as its failurePolicy says.

export class PolicyError extends Error {
  readonly code = "ERR_POLICY";
}
