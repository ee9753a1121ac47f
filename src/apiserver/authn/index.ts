export * from "./authenticator.ts";
export * from "./client-certificate.ts";
export * from "./impersonation.ts";
export * from "./openid-endpoint.ts";
export * from "./service-account-tokens.ts";
export * from "./static-tokens.ts";
