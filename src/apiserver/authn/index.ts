export * from "./authenticator.ts";
export * from "./client-certificate.ts";
export * from "./impersonation.ts";
