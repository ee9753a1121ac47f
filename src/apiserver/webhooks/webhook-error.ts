// Why a webhook could not be asked, in the words that Kubernetes' clients and users know.

/** The call failed; `message` begins with `Post "https://…": `, or is what the webhook's server answered instead. */
export class WebhookCallError extends Error {
  readonly code = "ERR_WEBHOOK_CALL";
}

const UNKNOWN_AUTHORITY = "tls: failed to verify certificate: x509: certificate signed by unknown authority";

const tlsProblems: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  CERT_SIGNATURE_FAILURE: UNKNOWN_AUTHORITY,
  CERT_HAS_EXPIRED: "tls: failed to verify certificate: x509: certificate has expired or is not yet valid",
  CERT_NOT_YET_VALID: "tls: failed to verify certificate: x509: certificate has expired or is not yet valid",
};

const dialProblems: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connect: connection refused",
  EHOSTUNREACH: "connect: no route to host",
  ENETUNREACH: "connect: network is unreachable",
  ETIMEDOUT: "i/o timeout",
};

interface ConnectionProblem {
  readonly code?: string;
  readonly message?: string;
  readonly cert?: { readonly subjectaltname?: string };
}

/** What went wrong with the connection to `host:port`; `serverName` is whose certificate was expected. */
export function connectionProblem(error: unknown, { host, port }: { host: string; port: number }, serverName: string): string {
  const { code = "", message = String(error), cert } = (error ?? {}) as ConnectionProblem;
  const tls = tlsProblems[code];
  if (tls !== undefined) return tls;
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    const names = [...(cert?.subjectaltname ?? "").matchAll(/(?:DNS|IP Address):([^,]+)/g)].map(([, name]) => name);
    return `tls: failed to verify certificate: x509: certificate is valid for ${names.join(", ")}, not ${serverName}`;
  }
  const dial = dialProblems[code];
  if (dial !== undefined) return `dial tcp ${host.includes(":") ? `[${host}]` : host}:${port}: ${dial}`;
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return `dial tcp: lookup ${host}: no such host`;
  return code === "ECONNRESET" ? "EOF" : message;
}

const answerProblems: Readonly<Record<number, string>> = {
  400: "the server rejected our request for an unknown reason",
  401: "the server has asked for the client to provide credentials",
  404: "the server could not find the requested resource",
  405: "the server does not allow this method on the requested resource",
  429: "the server has received too many requests and has asked us to try again later",
  503: "the server is currently unable to handle the request",
};

/** What an answer says whose status is no success. */
export function answerProblem(status: number, body: string): string {
  const known = answerProblems[status];
  if (known !== undefined) return known;
  if (status === 403) return body.trim();
  if (status >= 500) return `an error on the server (${JSON.stringify(body.trim())}) has prevented the request from succeeding`;
  return `the server responded with the status code ${status} but did not return more information`;
}
