// The API server under load: where it is and as whom to call it.
import { readFileSync } from "node:fs";
import { fromKubeconfig, parseKubeconfig } from "../src/client/index.ts";

export interface Target {
  readonly host: string;
  readonly port: number;
  /** Absent: the server's certificate is not checked. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly token?: string;
}

export async function targetOfKubeconfig(file: string): Promise<Target> {
  const { options } = fromKubeconfig(parseKubeconfig(readFileSync(file, "utf8")), { readFile: (path) => readFileSync(path, "utf8") });
  const token = options.token ?? (await options.tokenSource?.());
  return {
    ...addressOf(options.server),
    ...(options.ca === undefined ? {} : { ca: String(options.ca) }),
    ...(options.cert === undefined ? {} : { cert: String(options.cert) }),
    ...(options.key === undefined ? {} : { key: String(options.key) }),
    ...(token === undefined ? {} : { token }),
  };
}

export function targetOfToken(server: string, token: string): Target {
  return { ...addressOf(new URL(server)), token };
}

function addressOf(server: URL): { readonly host: string; readonly port: number } {
  return { host: server.hostname.replace(/^\[|\]$/g, ""), port: server.port === "" ? 443 : Number(server.port) };
}
