// Who is believed besides client certificates and service accounts, as the configuration says.
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { type AuthenticationConfig, authenticationConfiguration } from "../../apiserver/index.ts";
import type { ServerConfig } from "../config/process-config.ts";

/** Throws AuthenticationConfigurationError for a file that cannot be followed. */
export function setUpAuthentication({
  authenticationConfigFile: file,
  tokenWebhook,
  serviceAccountIssuer,
}: Pick<ServerConfig, "authenticationConfigFile" | "tokenWebhook" | "serviceAccountIssuer">): AuthenticationConfig {
  const config = file === undefined ? {} : authenticationConfiguration(parse(readFileSync(file, "utf8")), [serviceAccountIssuer]);
  if (tokenWebhook === undefined) return config;
  const { url, caFile } = tokenWebhook;
  return { ...config, webhook: { url, ...(caFile === undefined ? {} : { ca: readFileSync(caFile, "utf8") }) } };
}
