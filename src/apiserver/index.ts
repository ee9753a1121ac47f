export { ApiServerCore, type ApiServerCoreOptions } from "./api-handler.ts";
export { type AuthorizationAttributes, type Authorizer, allowAll, type Decision } from "./authz/authorizer.ts";
