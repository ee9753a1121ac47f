// The user of a connection, from its client certificate: CN is the name, every O a group. Looked at once per connection.
import { X509Certificate } from "node:crypto";
import type { UserInfo } from "../../api/index.ts";
import { withAuthenticated } from "./authenticator.ts";

interface PeerCertificate {
  readonly subject?: { readonly CN?: string | string[]; readonly O?: string | string[] };
  readonly fingerprint256?: string;
  /** The certificate itself at the end of the chain. */
  readonly issuerCertificate?: PeerCertificate;
}

/** What is asked of node's TLSSocket. */
interface TlsConnection {
  readonly authorized?: boolean;
  getPeerCertificate?(detailed: boolean): PeerCertificate;
}

/** Whom a connection's certificate shows. */
export type Peer =
  | { readonly is: "nobody" | "rejected" }
  | { readonly is: "user"; readonly user: UserInfo }
  | { readonly is: "proxy"; readonly name: string };

/** The extra that names the credential in audit logs. */
const CREDENTIAL_ID = "authentication.kubernetes.io/credential-id";

const nobody: Peer = { is: "nobody" };
const rejected: Peer = { is: "rejected" };

export interface ClientCertificatesOptions {
  /** PEM of the authority of front proxies' certificates. Absent: there are no proxies. */
  readonly proxyCa?: string | Buffer | undefined;
  readonly proxyNames?: readonly string[];
}

export class ClientCertificates {
  readonly #peers = new WeakMap<object, Peer>();
  readonly #proxyRoot: string | undefined;
  readonly #proxyNames: readonly string[];

  constructor({ proxyCa, proxyNames = [] }: ClientCertificatesOptions = {}) {
    this.#proxyRoot = proxyCa === undefined ? undefined : plainFingerprint(new X509Certificate(proxyCa).fingerprint256);
    this.#proxyNames = proxyNames;
  }

  /** `key` lives as long as the connection; `socket` is its TLS socket. */
  peerOf(key: object, socket: TlsConnection): Peer {
    let peer = this.#peers.get(key);
    if (peer === undefined) {
      peer = this.#identify(socket);
      this.#peers.set(key, peer);
    }
    return peer;
  }

  #identify(socket: TlsConnection): Peer {
    const certificate = socket.getPeerCertificate?.(true);
    if (certificate?.subject === undefined) return nobody;
    const [name = ""] = listOf(certificate.subject.CN);
    if (socket.authorized !== true || name === "") return rejected;
    if (this.#proxyRoot !== undefined && rootOf(certificate) === this.#proxyRoot) {
      return this.#proxyNames.length === 0 || this.#proxyNames.includes(name) ? { is: "proxy", name } : rejected;
    }
    const fingerprint = certificate.fingerprint256;
    const extra = fingerprint === undefined ? {} : { extra: { [CREDENTIAL_ID]: [`X509SHA256=${plainFingerprint(fingerprint)}`] } };
    return { is: "user", user: { name, groups: withAuthenticated(listOf(certificate.subject.O)), ...extra } };
  }
}

/** The fingerprint of the authority at the end of the chain. */
function rootOf(certificate: PeerCertificate): string | undefined {
  let last = certificate;
  while (last.issuerCertificate !== undefined && last.issuerCertificate !== last) last = last.issuerCertificate;
  return last.fingerprint256 === undefined ? undefined : plainFingerprint(last.fingerprint256);
}

function plainFingerprint(fingerprint: string): string {
  return fingerprint.replaceAll(":", "").toLowerCase();
}

function listOf(value: string | string[] | undefined): string[] {
  if (value === undefined) return [];
  return typeof value === "string" ? [value] : value;
}
