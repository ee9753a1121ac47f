// Trust bundles and pods' certificates in real containers; the test itself is the signer, as in Kubernetes' own tests. Tests
// are called as in the conformance suite.
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { ClusterTrustBundle, PodCertificateRequest } from "../../../src/api/types/certificates/v1.ts";
import type { Event, Pod, PodCertificateProjection, PodSpec, VolumeProjection } from "../../../src/api/types/core/v1.ts";
import { pemBlocks, readPkcs10 } from "../../../src/machinery/index.ts";
import { TestAuthority } from "../../../src/machinery/x509/test-authority.fixture.ts";
import { Cluster, eventually } from "../cluster.fixture.ts";
import { Pods } from "../pods.fixture.ts";

const SIGNER = "test.example.com/spiffe";
const BUNDLE_COUNT = 110;

interface List<T> {
  readonly items: readonly T[];
}

let cluster: Cluster;
let pods: Pods;
const authorities: TestAuthority[] = [];

before(async () => {
  cluster = await Cluster.shared("certificates");
  pods = new Pods(cluster);
  for (const name of ["CN=one", "CN=two", "CN=three"]) authorities.push(await TestAuthority.make(name));
});
after(() => cluster[Symbol.asyncDispose]());

const authority = (index: number): TestAuthority => authorities[index] ?? assert.fail("no such authority");

function bundle(name: string, trustBundle: string, { signerName = "", labels = {} } = {}): ClusterTrustBundle {
  const spec = { trustBundle, ...(signerName !== "" && { signerName }) };
  return { apiVersion: "certificates.k8s.io/v1", kind: "ClusterTrustBundle", metadata: { name, labels }, spec };
}

/** What a pod needs to see each of the volumes under `/v/<index>`. */
function withVolumes(...volumes: readonly VolumeProjection[][]): Partial<PodSpec> {
  return { volumes: volumes.map((sources, i) => ({ name: `v${i}`, projected: { sources } })) };
}

function mounts(count: number) {
  return { volumeMounts: Array.from({ length: count }, (_, i) => ({ name: `v${i}`, mountPath: `/v/${i}` })) };
}

/** The certificates in a text, as a set. */
const certificatesIn = (text: string) => new Set(pemBlocks(text).map(({ der }) => der.toString("base64")));

function eventOf(pod: string, reason: string, pattern: RegExp): Promise<Event> {
  return eventually(`pod ${pod} gets an event ${reason} like ${pattern}`, async () => {
    const { items } = await cluster.get<List<Event>>("events", "--field-selector", `involvedObject.name=${pod},reason=${reason}`);
    return items.find(({ message }) => pattern.test(message ?? ""));
  });
}

describe("ClusterTrustBundle", () => {
  before(async () => {
    const labels = (alive: string) => ({ signer: "test", alive });
    await cluster.apply(bundle("single", authority(0).pem));
    await cluster.apply(bundle("test.example.com:s:one", authority(0).pem, { signerName: "test.example.com/s", labels: labels("yes") }));
    const both = authority(1).pem + authority(0).pem;
    await cluster.apply(bundle("test.example.com:s:two", both, { signerName: "test.example.com/s", labels: labels("yes") }));
    await cluster.apply(bundle("test.example.com:s:three", authority(2).pem, { signerName: "test.example.com/s", labels: labels("no") }));
  });

  const shown = async (pod: string, ...volumes: VolumeProjection[][]) => {
    await pods.scripts(pod, { c: "cat /v/*/ca.pem" }, withVolumes(...volumes), mounts(volumes.length));
    return pods.output(pod, "c");
  };
  const signed = (source: object): VolumeProjection => ({
    clusterTrustBundle: { path: "ca.pem", signerName: "test.example.com/s", ...source },
  });

  it("Mounting a single ClusterTrustBundle, whose changes reach the volume", async () => {
    await pods.create("single", [mounts(1)], withVolumes([{ clusterTrustBundle: { name: "single", path: "ca.pem" } }]));
    await pods.untilReady("single");
    assert.equal(await pods.exec("single", "c0", "cat", "/v/0/ca.pem"), authority(0).pem);
    await cluster.apply(bundle("single", authority(2).pem));
    await eventually("the volume shows the new bundle", async () => {
      return (await pods.exec("single", "c0", "cat", "/v/0/ca.pem")) === authority(2).pem;
    });
  });

  it("Mounting multiple ClusterTrustBundles", async () => {
    const all = await shown("every", [signed({ labelSelector: {} })]);
    assert.deepEqual(certificatesIn(all), certificatesIn(authorities.map(({ pem }) => pem).join("")));
    assert.equal(pemBlocks(all).length, 3);
    const some = await shown("labelled", [signed({ labelSelector: { matchLabels: { alive: "yes" } } })]);
    assert.deepEqual(certificatesIn(some), certificatesIn(authority(0).pem + authority(1).pem));
    const none = { labelSelector: { matchLabels: { alive: "unknown" } }, optional: true };
    assert.equal(await shown("optional", [signed(none)], [signed({ optional: true })]), "");
  });

  it("Failing to mount improperly defined ClusterTrustBundles", async () => {
    await pods.create("unmatched", [mounts(1)], withVolumes([signed({ labelSelector: { matchLabels: { alive: "unknown" } } })]));
    await pods.create("missing", [mounts(1)], withVolumes([{ clusterTrustBundle: { name: "later", path: "ca.pem" } }]));
    await eventOf("unmatched", "FailedMount", /combination of signerName and labelSelector matched zero ClusterTrustBundles/);
    await eventOf("missing", "FailedMount", /clustertrustbundle.certificates.k8s.io "later" not found/);
    for (const name of ["unmatched", "missing"]) assert.equal((await pods.get(name)).status?.phase, "Pending");
    await cluster.apply(bundle("later", authority(0).pem));
    await pods.untilReady("missing");
  });

  it("Mounting big number (>100) of ClusterTrustBundle volumes", async () => {
    const names = Array.from({ length: BUNDLE_COUNT }, (_, i) => `many-${i}`);
    await cluster.apply({ apiVersion: "v1", kind: "List", items: names.map((name) => bundle(name, authority(0).pem)) });
    const volumes = names.map((name) => [{ clusterTrustBundle: { name, path: "ca.pem" } }]);
    assert.equal(pemBlocks(await shown("many", ...volumes)).length, BUNDLE_COUNT);
  });

  it("is published for the API server, where service accounts may read it", async () => {
    const own = "--field-selector=spec.signerName=kubernetes.io/kube-apiserver-serving";
    const { items } = await cluster.get<List<ClusterTrustBundle>>("clustertrustbundles", own);
    const root = await cluster.kubectl("get", "configmap", "kube-root-ca.crt", "-o", "jsonpath={.data.ca\\.crt}");
    assert.deepEqual(
      items.map(({ spec }) => spec.trustBundle.trim()),
      [root.trim()],
    );
    const may = await cluster.kubectl(
      "auth",
      "can-i",
      "list",
      "clustertrustbundles",
      `--as=system:serviceaccount:${cluster.namespace}:default`,
      "--as-group=system:serviceaccounts",
    );
    assert.equal(may.trim(), "yes");
  });
});

describe("Projected PodCertificate", () => {
  const stop = new AbortController();
  let signing: Promise<void>;
  before(async () => {
    await cluster.apply(bundle("test.example.com:spiffe:main", authority(0).pem, { signerName: SIGNER }));
    signing = signUntil(stop.signal);
  });
  after(async () => {
    stop.abort();
    await signing;
  });

  const certificate = (source: Partial<PodCertificateProjection> = {}): VolumeProjection => ({
    podCertificate: { signerName: SIGNER, keyType: "ECDSAP256", credentialBundlePath: "all.pem", ...source },
  });

  /** The certificate that a pod was given. */
  async function issuedTo(name: string, source: Partial<PodCertificateProjection>): Promise<X509Certificate> {
    await pods.create(name, [mounts(1)], withVolumes([certificate(source)]));
    await pods.untilReady(name);
    const blocks = pemBlocks(await pods.exec(name, "c0", "cat", "/v/0/all.pem"));
    assert.deepEqual(
      blocks.map(({ type }) => type),
      ["PRIVATE KEY", "CERTIFICATE"],
    );
    return new X509Certificate(blocks[1]?.der ?? assert.fail("no certificate"));
  }
  const lifeHours = ({ validFromDate, validToDate }: X509Certificate) => (validToDate.getTime() - validFromDate.getTime()) / 3_600_000;

  it("Projected PodCertificate Default Expiration", async () => {
    assert.equal(lifeHours(await issuedTo("default-life", { keyType: "RSA3072" })), 24);
  });

  it("Projected PodCertificate Custom Expiration", async () => {
    assert.equal(lifeHours(await issuedTo("custom-life", { maxExpirationSeconds: 3_600, keyType: "ECDSAP384" })), 1);
  });

  for (const [name, seconds, detail] of [
    ["Maximum", 91 * 86_400 + 1, "must be <= 7862400"],
    ["Minimum", 3_599, "must be >= 3600"],
  ] as const) {
    it(`Projected PodCertificate Expiration ${name} Validation`, async () => {
      const spec = { containers: [{ name: "c", image: "busybox" }], ...withVolumes([certificate({ maxExpirationSeconds: seconds })]) };
      const pod: Pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "refused" }, spec };
      const { code, stderr } = await cluster.tryKubectl(["create", "-f", "-"], JSON.stringify(pod));
      assert.notEqual(code, 0);
      assert.ok(stderr.includes(detail), stderr);
    });
  }

  it("Projected PodCertificate UserAnnotations", async () => {
    const userAnnotations = { "test.example.com/path": "chosen/by/the/author" };
    const leaf = await issuedTo("annotated", { userAnnotations, keyType: "ED25519" });
    assert.equal(leaf.subjectAltName, "URI:spiffe://test.example.com/chosen/by/the/author");
  });

  it("Projected PodCertificate mTLS Connection", async () => {
    const sources = [certificate(), { clusterTrustBundle: { signerName: SIGNER, labelSelector: {}, path: "ca.pem" } }];
    const node = (script: string) => ({ image: "kubia", command: ["node", "-e", `const fs = require("fs"); ${script}`], ...mounts(1) });
    const options = '{ key: fs.readFileSync("/v/0/all.pem"), cert: fs.readFileSync("/v/0/all.pem"), ca: fs.readFileSync("/v/0/ca.pem"), ';
    const serve = `require("tls").createServer(${options} requestCert: true, rejectUnauthorized: true }, (s) => s.end(s.getPeerCertificate().subjectaltname)).listen(8443)`;
    await pods.create("mtls-server", [node(serve)], withVolumes(sources));
    await pods.untilReady("mtls-server");
    const { status } = await pods.get("mtls-server");
    const connect = `const connect = () => require("tls").connect(${options} host: "${status?.podIP}", port: 8443, checkServerIdentity: () => undefined }).on("error", () => setTimeout(connect, 200)).on("secureConnect", function () { console.log(this.getPeerCertificate().subjectaltname); }).pipe(process.stdout); connect()`;
    await pods.create("mtls-client", [node(connect)], { ...withVolumes(sources), restartPolicy: "Never" });
    const said = await pods.output("mtls-client", "c0");
    assert.match(said, new RegExp(`URI:spiffe://test.example.com/ns/${cluster.namespace}/pod/mtls-server\n`));
    assert.match(said, new RegExp(`URI:spiffe://test.example.com/ns/${cluster.namespace}/pod/mtls-client$`));
  });

  it("keeps a pod Pending that the signer denies, and says so", async () => {
    await pods.create("denied", [mounts(1)], withVolumes([certificate({ userAnnotations: { "test.example.com/deny": "yes" } })]));
    await eventOf("denied", "Denied", new RegExp(`PodCertificateRequest ${cluster.namespace}/req-\\S+ was denied, reason="TestSigner"`));
    await eventOf("denied", "FailedMount", /PodCertificateRequest was permanently denied: reason="TestSigner" message="as asked"/);
    assert.equal((await pods.get("denied")).status?.phase, "Pending");
  });
});

/** Signs for the life that is asked for, in the pod's or a given SPIFFE name. */
async function signUntil(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const { items } = await cluster.get<List<PodCertificateRequest>>("podcertificaterequests.v1.certificates.k8s.io");
    const open = items.filter(({ spec, status }) => spec.signerName === SIGNER && status?.conditions === undefined);
    for (const request of open) await patchStatus(request, await answerTo(request));
    await sleep(300);
  }
}

async function answerTo({ spec }: PodCertificateRequest): Promise<object> {
  const nowMs = Math.floor(Date.now() / 1_000) * 1_000;
  const at = (ms: number) => new Date(nowMs + ms).toISOString().replace(".000", "");
  const condition = { status: "True", reason: "TestSigner", message: "as asked", lastTransitionTime: at(0) };
  const annotations = spec.unverifiedUserAnnotations ?? {};
  if (annotations["test.example.com/deny"] !== undefined) return { conditions: [{ ...condition, type: "Denied" }] };
  const { publicKey } = readPkcs10(Buffer.from(spec.stubPKCS10Request, "base64")) ?? assert.fail("no PKCS #10 request");
  const lifeSeconds = spec.maxExpirationSeconds ?? assert.fail("no life");
  const uri = `spiffe://test.example.com/${annotations["test.example.com/path"] ?? `ns/${cluster.namespace}/pod/${spec.podName}`}`;
  return {
    conditions: [{ ...condition, type: "Issued" }],
    certificateChain: await authority(0).issue(publicKey, { notBeforeMs: nowMs, lifeSeconds, uris: [uri] }),
    notBefore: at(0),
    beginRefreshAt: at(lifeSeconds * 500),
    notAfter: at(lifeSeconds * 1_000),
  };
}

async function patchStatus({ metadata }: PodCertificateRequest, status: object): Promise<void> {
  const patch = JSON.stringify({ status });
  await cluster.kubectl("patch", "podcertificaterequests", metadata.name ?? "", "--subresource=status", "--type=merge", "-p", patch);
}
