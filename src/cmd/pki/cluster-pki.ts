// A cluster's certificates and keys as files: what there is, and keeping it valid. Existing files are kept across restarts;
// a certificate is issued again when it nears its end, is not the authority's, or no longer names all it must name.
import { createPrivateKey, randomBytes, X509Certificate } from "node:crypto";
import { join } from "node:path";
import { stringify } from "yaml";
import type { Clock } from "../../base/index.ts";
import { type ClusterSpec, hostAddress, type NodeSpec } from "../config/cluster.ts";
import { readIfExists, writePrivate } from "../system/files.ts";
import type { LeafRequest, PemPair } from "./issue.ts";

/** Certificates with less than this left are issued again. */
const RENEW_BEFORE_MS = 30 * 24 * 3_600_000;

export interface FilePair {
  readonly certificateFile: string;
  readonly privateKeyFile: string;
}

export interface NodePki {
  readonly client: FilePair;
  readonly serving: FilePair;
}

export interface ClusterPki {
  readonly caFile: string;
  readonly caKeyFile: string;
  readonly serving: FilePair;
  readonly admin: FilePair;
  readonly kubeletClient: FilePair;
  /** The authority of proxies that tell who the user is, and the server's own certificate as one. */
  readonly frontProxyCaFile: string;
  readonly frontProxyClient: FilePair;
  readonly controllerManager: FilePair;
  readonly scheduler: FilePair;
  /** Of the process that plays the hollow nodes. */
  readonly hollow: NodePki;
  /** PKCS #8 PEM of the P-256 key that signs service account tokens (ES256). */
  readonly serviceAccountKeyFile: string;
  /** EncryptionConfiguration: with which keys secrets are encrypted at rest. */
  readonly encryptionConfigFile: string;
  /** By node name. */
  readonly nodes: Readonly<Record<string, NodePki>>;
}

export interface PkiOptions {
  readonly directory: string;
  readonly spec: ClusterSpec;
  readonly nodes: readonly NodeSpec[];
  readonly clock: Clock;
}

/** Makes what is missing or no longer good. */
export async function ensureClusterPki(options: PkiOptions): Promise<ClusterPki> {
  const { directory, spec, nodes } = options;
  const authority = await ensureAuthority(options, { file: "ca", commonName: "kubernetes-ca" });
  const proxyAuthority = await ensureAuthority(options, { file: "front-proxy-ca", commonName: "front-proxy-ca" });
  const leaf = async (name: string, request: LeafRequest, signer = authority): Promise<FilePair> => {
    const files = pairFiles(directory, name);
    await ensureLeaf({ files, request, authority: signer, clock: options.clock });
    return files;
  };
  const client = (name: string, commonName: string, organization?: string) =>
    leaf(name, { commonName, usages: ["client"], ...(organization === undefined ? {} : { organization }) });
  const nodePki = async (node: NodeSpec): Promise<[string, NodePki]> => [
    node.name,
    {
      client: await client(`node-${node.name}`, `system:node:${node.name}`, "system:nodes"),
      serving: await leaf(`kubelet-${node.name}`, kubeletRequest(node)),
    },
  ];
  const [serving, admin, kubeletClient, frontProxyClient, controllerManager, scheduler, hollowClient, hollowServing, nodePairs] =
    await Promise.all([
      leaf("apiserver", servingRequest(spec, nodes)),
      client("admin", "kubernetes-admin", "system:masters"),
      client("apiserver-kubelet-client", "kube-apiserver-kubelet-client", "system:masters"),
      leaf("front-proxy-client", { commonName: "front-proxy-client", usages: ["client"] }, proxyAuthority),
      client("controller-manager", "system:kube-controller-manager"),
      client("scheduler", "system:kube-scheduler"),
      client("hollow-nodes", "k8ts:hollow-nodes"),
      leaf("kubelet-hollow-nodes", { commonName: "k8ts:hollow-nodes", usages: ["server"], addresses: ["127.0.0.1"] }),
      Promise.all(nodes.map(nodePki)),
    ]);
  return {
    caFile: join(directory, "ca.crt"),
    caKeyFile: join(directory, "ca.key"),
    serving,
    admin,
    kubeletClient,
    frontProxyCaFile: join(directory, "front-proxy-ca.crt"),
    frontProxyClient,
    controllerManager,
    scheduler,
    hollow: { client: hollowClient, serving: hollowServing },
    serviceAccountKeyFile: await ensureSigningKey(directory),
    encryptionConfigFile: ensureEncryptionConfig(directory),
    nodes: Object.fromEntries(nodePairs),
  };
}

/** Where a cluster that has been brought up has its authority and the administrator's credentials. */
export function pkiFiles(directory: string): Pick<ClusterPki, "caFile" | "admin"> {
  return { caFile: join(directory, "ca.crt"), admin: pairFiles(directory, "admin") };
}

function servingRequest(spec: ClusterSpec, nodes: readonly NodeSpec[]): LeafRequest {
  const service = ["kubernetes", "kubernetes.default", "kubernetes.default.svc", `kubernetes.default.svc.${spec.clusterDomain}`];
  return {
    commonName: "kube-apiserver",
    usages: ["server"],
    dnsNames: [...service, "localhost"],
    addresses: [...new Set(["127.0.0.1", hostAddress(spec.serviceNetwork, 1), ...nodes.slice(0, 1).map((node) => node.address)])],
  };
}

function kubeletRequest(node: NodeSpec): LeafRequest {
  return {
    commonName: `system:node:${node.name}`,
    organization: "system:nodes",
    usages: ["server"],
    dnsNames: [node.name],
    addresses: [node.address, "127.0.0.1"],
  };
}

async function ensureAuthority(
  { directory, clock }: PkiOptions,
  { file, commonName }: { readonly file: string; readonly commonName: string },
): Promise<PemPair> {
  const files = pairFiles(directory, file);
  const existing = readPair(files);
  if (existing !== undefined) return existing;
  const issued = await (await import("./issue.ts")).issueAuthority(commonName, clock);
  writePair(files, issued);
  return issued;
}

interface LeafOptions {
  readonly files: FilePair;
  readonly request: LeafRequest;
  readonly authority: PemPair;
  readonly clock: Clock;
}

async function ensureLeaf({ files, request, authority, clock }: LeafOptions): Promise<void> {
  const existing = readPair(files);
  if (existing !== undefined && isGood(existing, { request, authority, clock })) return;
  writePair(files, await (await import("./issue.ts")).issueLeaf(request, authority, clock));
}

function isGood(pair: PemPair, { request, authority, clock }: Omit<LeafOptions, "files">): boolean {
  const certificate = new X509Certificate(pair.certificate);
  const wanted = [
    ...(request.dnsNames ?? []).map((name) => `DNS:${name}`),
    ...(request.addresses ?? []).map((address) => `IP Address:${address}`),
  ];
  const named = new Set((certificate.subjectAltName ?? "").split(", "));
  return (
    Date.parse(certificate.validTo) - clock.now() > RENEW_BEFORE_MS &&
    certificate.verify(new X509Certificate(authority.certificate).publicKey) &&
    certificate.checkPrivateKey(createPrivateKey(pair.privateKey)) &&
    wanted.every((name) => named.has(name))
  );
}

async function ensureSigningKey(directory: string): Promise<string> {
  const file = join(directory, "service-account.key");
  if (readIfExists(file) === undefined) writePrivate(file, await (await import("./issue.ts")).issueSigningKey());
  return file;
}

/** One new key for secrets; values that were written in clear are still read. */
function ensureEncryptionConfig(directory: string): string {
  const file = join(directory, "encryption.yaml");
  if (readIfExists(file) !== undefined) return file;
  const keys = [{ name: "key1", secret: randomBytes(32).toString("base64") }];
  const entry = { resources: ["secrets"], providers: [{ aesgcm: { keys } }, { identity: {} }] };
  const configuration = { apiVersion: "apiserver.config.k8s.io/v1", kind: "EncryptionConfiguration", resources: [entry] };
  writePrivate(file, stringify(configuration));
  return file;
}

function pairFiles(directory: string, name: string): FilePair {
  return { certificateFile: join(directory, `${name}.crt`), privateKeyFile: join(directory, `${name}.key`) };
}

function readPair(files: FilePair): PemPair | undefined {
  const certificate = readIfExists(files.certificateFile);
  const privateKey = readIfExists(files.privateKeyFile);
  if (certificate === undefined || privateKey === undefined) return undefined;
  return { certificate: certificate.toString(), privateKey: privateKey.toString() };
}

/** The key first: a certificate without its key is never found. */
function writePair(files: FilePair, pair: PemPair): void {
  writePrivate(files.privateKeyFile, pair.privateKey);
  writePrivate(files.certificateFile, pair.certificate);
}
