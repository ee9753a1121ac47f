// Who is believed besides client certificates and service accounts, as the configuration says.
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { type AuthenticationConfig, authenticationConfiguration } from "../../apiserver/index.ts";
import type { ServerConfig } from "../config/process-config.ts";

/** `text` is an AuthenticationConfiguration, if there is one. Throws AuthenticationConfigurationError when it cannot be followed. */
export function setUpAuthentication(
  { tokenWebhook, serviceAccountIssuer }: Pick<ServerConfig, "tokenWebhook" | "serviceAccountIssuer">,
  text: string | undefined,
): AuthenticationConfig {
  const config = text === undefined ? {} : authenticationConfiguration(parse(text), [serviceAccountIssuer]);
  if (tokenWebhook === undefined) return config;
  const { url, caFile } = tokenWebhook;
  return { ...config, webhook: { url, ...(caFile === undefined ? {} : { ca: readFileSync(caFile, "utf8") }) } };
}
