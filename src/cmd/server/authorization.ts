// Whom to ask who may do what, as the configuration says.
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parse } from "yaml";
import { type AuthorizerConfig, authorizationConfiguration } from "../../apiserver/index.ts";
import { fromKubeconfig, parseKubeconfig } from "../../client/index.ts";

/** `text` is an AuthorizationConfiguration. Throws AuthorizationConfigurationError when it cannot be followed. */
export function setUpAuthorizers(text: string): AuthorizerConfig[] {
  return authorizationConfiguration(parse(text), readConnection);
}

/** Files in a kubeconfig are named from where it lies. */
function readConnection(kubeConfigFile: string) {
  const readFile = (path: string) => readFileSync(resolve(dirname(kubeConfigFile), path), "utf8");
  const { server, ca, cert, key, token, tokenSource } = fromKubeconfig(parseKubeconfig(readFile(kubeConfigFile)), { readFile }).options;
  if (tokenSource !== undefined) throw new Error("tokenFile is not supported, put the token itself into the file");
  return {
    url: server.href,
    ca,
    bearerToken: token,
    ...(cert === undefined || key === undefined ? {} : { clientCertificate: { cert, key } }),
  };
}
