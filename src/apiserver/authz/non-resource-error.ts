// The refusal of a request outside of resources.
import type { UserInfo } from "../../api/index.ts";
import { type StatusError, statusError } from "../../machinery/index.ts";

/** `forbidden: User "x" cannot get path "/metrics"` */
export function nonResourceError(user: UserInfo, verb: string, path: string): StatusError {
  return statusError("Forbidden", `forbidden: User "${user.name}" cannot ${verb} path "${path}"`, {});
}
