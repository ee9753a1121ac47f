export type { AdmissionPlugin, AdmissionRequest } from "./admission/admission.ts";
export { ApiServerCore, type ApiServerCoreOptions } from "./api-handler.ts";
export {
  type AuthorizationAttributes,
  type Authorizer,
  allowAll,
  type Decision,
  type SubjectRules,
} from "./authz/authorizer.ts";
export type { AdvertisedAddress } from "./registry/bootstrap.ts";
export type { TokenAuthenticator } from "./registry/subresources/reviews.ts";
export type { IssuedToken, TokenIssuer, TokenRequestSpec } from "./registry/subresources/token.ts";
