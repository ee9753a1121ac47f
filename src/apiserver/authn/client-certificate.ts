// The user of a connection, from its client certificate: CN is the name, every O a group. Looked at once per connection.
import type { UserInfo } from "../../api/index.ts";
import { withAuthenticated } from "./authenticator.ts";

interface PeerCertificate {
  readonly subject?: { readonly CN?: string | string[]; readonly O?: string | string[] };
  readonly fingerprint256?: string;
}

/** What is asked of node's TLSSocket. */
interface TlsConnection {
  readonly authorized?: boolean;
  getPeerCertificate?(): PeerCertificate;
}

/** The extra that names the credential in audit logs. */
const CREDENTIAL_ID = "authentication.kubernetes.io/credential-id";

export class ClientCertificates {
  readonly #users = new WeakMap<object, UserInfo | "rejected" | "none">();

  /** `key` lives as long as the connection; `socket` is its TLS socket. */
  userOf(key: object, socket: TlsConnection): UserInfo | "rejected" | undefined {
    let user = this.#users.get(key);
    if (user === undefined) {
      user = identify(socket);
      this.#users.set(key, user);
    }
    return user === "none" ? undefined : user;
  }
}

function identify(socket: TlsConnection): UserInfo | "rejected" | "none" {
  const certificate = socket.getPeerCertificate?.();
  if (certificate?.subject === undefined) return "none";
  const [name] = listOf(certificate.subject.CN);
  if (socket.authorized !== true || name === undefined || name === "") return "rejected";
  const fingerprint = certificate.fingerprint256?.replaceAll(":", "").toLowerCase();
  return {
    name,
    groups: withAuthenticated(listOf(certificate.subject.O)),
    ...(fingerprint === undefined ? {} : { extra: { [CREDENTIAL_ID]: [`X509SHA256=${fingerprint}`] } }),
  };
}

function listOf(value: string | string[] | undefined): string[] {
  if (value === undefined) return [];
  return typeof value === "string" ? [value] : value;
}
