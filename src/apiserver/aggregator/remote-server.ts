// How another API server is spoken to: found by its Service, trusted by the APIService's CA, told who the user is by the
// front proxy's certificate and headers.
import type { UserInfo } from "../../api/index.ts";
import type { APIService } from "../../api/types/apiregistration/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import type { ForwardTarget } from "../front/forward.ts";
import type { ServiceReference } from "../webhooks/index.ts";

export interface ProxyCertificate {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
}

const DEFAULT_PORT = 443;

/** The service behind an APIService; undefined for those that this server serves itself. */
export function serviceOf({ spec }: DeepReadonly<APIService>): ServiceReference | undefined {
  const { namespace = "", name = "", port = DEFAULT_PORT } = spec?.service ?? {};
  return spec?.service === undefined ? undefined : { namespace, name, port };
}

/** TLS to the service's server. */
export function tlsTo({ spec }: DeepReadonly<APIService>, certificate: ProxyCertificate): NonNullable<ForwardTarget["tls"]> {
  const { namespace = "", name = "" } = spec?.service ?? {};
  const { caBundle = "", insecureSkipTLSVerify = false } = spec ?? {};
  return {
    ...certificate,
    servername: `${name}.${namespace}.svc`,
    rejectUnauthorized: !insecureSkipTLSVerify,
    ...(caBundle === "" ? {} : { ca: Buffer.from(caBundle, "base64") }),
  };
}

/** The headers that tell who the user is. */
export function userHeaders({ name, uid, groups, extra = {} }: UserInfo): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = { "X-Remote-User": asHeader(name), "X-Remote-Group": groups.map(asHeader) };
  if (uid !== undefined && uid !== "") headers["X-Remote-Uid"] = asHeader(uid);
  for (const [key, values] of Object.entries(extra)) headers[`X-Remote-Extra-${encodeURIComponent(key)}`] = values.map(asHeader);
  return headers;
}

/** UTF-8 as header values carry it. */
function asHeader(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}
