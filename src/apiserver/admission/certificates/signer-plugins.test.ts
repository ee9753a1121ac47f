import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { describe, it } from "node:test";
import type { UncheckedObject } from "../../../api/index.ts";
import { writePkcs10 } from "../../../machinery/index.ts";
import { TestAuthority } from "../../../machinery/x509/test-authority.fixture.ts";
import type { AuthorizationAttributes } from "../../authz/authorizer.ts";
import { CoreFixture, type Place } from "../../registry/testing/core-fixture.ts";

const authority = await TestAuthority.make();
const BUNDLES = "certificates.k8s.io/v1/clustertrustbundles";
const REQUESTS = "certificates.k8s.io/v1/podcertificaterequests";

/** Everyone may do everything, but with signers only what `grants` say: `attest example.com/s`. */
function startWith(grants: ReadonlySet<string>): Promise<CoreFixture> {
  const isAllowed = ({ resource, verb, name }: AuthorizationAttributes) => resource !== "signers" || grants.has(`${verb} ${name}`);
  return CoreFixture.start({ authorizer: { authorize: (attributes) => ({ allowed: isAllowed(attributes), reason: "" }) } });
}

const start = (...grants: string[]) => startWith(new Set(grants));

describe("ClusterTrustBundleAttest", () => {
  const bundle = (signerName: string) => ({
    metadata: { name: `${signerName.replace("/", ":")}:a` },
    spec: { signerName, trustBundle: authority.pem },
  });

  it("lets those publish a signer's certificates who may attest for it", async () => {
    await using server = await start("attest example.com/s", "attest all.example.com/*");
    await server.create(BUNDLES, bundle("example.com/s"));
    await server.create(BUNDLES, bundle("all.example.com/any"));
    await server.create(BUNDLES, { metadata: { name: "plain" }, spec: { trustBundle: authority.pem } });
    await assert.rejects(server.create(BUNDLES, bundle("example.com/t")), {
      message:
        'clustertrustbundles.certificates.k8s.io "example.com:t:a" is forbidden: user not permitted to attest for signerName "example.com/t"',
    });
  });

  it("does not stand in the way of garbage collection", async () => {
    const grants = new Set(["attest example.com/s"]);
    await using server = await startWith(grants);
    const { object } = await server.create(BUNDLES, bundle("example.com/s"));
    grants.clear();
    const kept = { ...object, metadata: { ...object.metadata, finalizers: ["example.com/f"], resourceVersion: "" } };
    await server.update(BUNDLES, kept as never);
    const changed = { ...kept, spec: { ...bundle("example.com/s").spec, trustBundle: `${authority.pem}# changed` } };
    await assert.rejects(server.update(BUNDLES, changed as never), /user not permitted to attest/);
  });
});

const { privateKey, publicKey } = generateKeyPairSync("ed25519");
const requestFor = (uids: { readonly pod?: string; readonly account?: string; readonly node?: string } = {}, more: object = {}) => ({
  metadata: { name: "r" },
  spec: {
    signerName: "example.com/s",
    podName: "mine",
    podUID: uids.pod ?? "p",
    serviceAccountName: "default",
    serviceAccountUID: uids.account ?? "a",
    nodeName: "n1",
    nodeUID: uids.node ?? "n",
    stubPKCS10Request: writePkcs10(privateKey).toString("base64"),
    ...more,
  },
});

describe("the status of a PodCertificateRequest", () => {
  const denied = [{ type: "Denied", status: "True", reason: "No", message: "", lastTransitionTime: "2026-01-01T00:00:00Z" }];

  it("is set by those who may sign for the signer", async () => {
    await using server = await start("sign example.com/s");
    const { object } = await server.create(REQUESTS, requestFor());
    const metadata = { ...object.metadata, labels: { not: "taken" } };
    const change = { ...object, metadata, status: { conditions: denied } };
    const { object: after } = await server.update(REQUESTS, change as never, { subresource: "status" });
    assert.deepEqual((after as { status?: object }).status, { conditions: denied });
    assert.equal(after.metadata.labels, undefined);
  });

  it("is nobody else's to set", async () => {
    await using server = await start("sign example.com/t");
    const { object } = await server.create(REQUESTS, requestFor());
    const change = server.update(REQUESTS, { ...object, status: { conditions: denied } } as never, { subresource: "status" });
    await assert.rejects(change, {
      message:
        'PodCertificateRequest.certificates.k8s.io "r" is invalid: spec.signerName: Forbidden: User "alice" is not permitted to "sign" for signer "example.com/s"',
    });
  });

  it("holds the certificate that was issued to the key, and is the same in both versions", async () => {
    await using server = await start("sign example.com/s");
    const { object } = await server.create(REQUESTS, requestFor());
    const nowMs = server.clock.now();
    const at = (seconds: number) => new Date(nowMs + seconds * 1_000).toISOString().replace(".000", "");
    const status = {
      conditions: [{ ...denied[0], type: "Issued", reason: "Issued" }],
      certificateChain: await authority.issue(publicKey, { notBeforeMs: nowMs, lifeSeconds: 3_600 }),
      notBefore: at(0),
      notAfter: at(3_600),
      beginRefreshAt: at(1_800),
    };
    await server.update(REQUESTS, { ...object, status } as never, { subresource: "status" });
    const beta = (await server.get("certificates.k8s.io/v1beta1/podcertificaterequests", "r")).object;
    assert.equal(beta.apiVersion, "certificates.k8s.io/v1beta1");
    assert.deepEqual((beta as { status?: object }).status, status);
  });
});

describe("NodeRestriction on PodCertificateRequests", () => {
  const node = { name: "system:node:n1", groups: ["system:nodes", "system:authenticated"] };

  async function startNode() {
    const server = await start();
    const uidOf = async (path: string, object: object) => (await server.create(path, object)).object.metadata.uid ?? "";
    const account = await uidOf("serviceaccounts", { metadata: { name: "default" } });
    const pod = (name: string, nodeName: string) => ({ metadata: { name }, spec: { nodeName, containers: [{ name: "c", image: "i" }] } });
    const uids = { account, node: await uidOf("nodes", { metadata: { name: "n1" } }), pod: await uidOf("pods", pod("mine", "n1")) };
    const elsewhere = await uidOf("pods", pod("other", "n2"));
    await server.clock.advance(0);
    const ask = (object: object, place: Place = {}) =>
      server.core.create({ ...server.scope(REQUESTS, place), user: node }, object as UncheckedObject, {});
    return { server, uids, elsewhere, ask, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
  }

  it("lets a node ask for its own pods, in their real names", async () => {
    await using at = await startNode();
    await at.ask(requestFor(at.uids));
  });

  it("lets a node ask for no others", async () => {
    await using at = await startNode();
    const refused = (uids: object, more: object, pattern: RegExp) =>
      assert.rejects(at.ask(requestFor({ ...at.uids, ...uids }, more)), pattern);
    await refused({}, { nodeName: "n2" }, /PodCertificateRequest.Spec.NodeName="n2", which is not the requesting node "n1"/);
    await refused({ node: "x" }, {}, /names node UID "x", inconsistent with the running node/);
    await refused({ pod: "x" }, {}, /contains pod UID \("x"\) which differs from running pod/);
    await refused({ pod: at.elsewhere }, { podName: "other" }, /pod "default\/other" is not running on node "n1"/);
    await refused(
      {},
      { serviceAccountName: "admin" },
      /contains serviceAccountName \("admin"\) that differs from running pod \("default"\)/,
    );
    await refused({ account: "x" }, {}, /names service account UID "x", which differs from the running service account/);
    await refused({}, { podName: "none" }, /while retrieving pod "default\/none" named in the PodCertificateRequest/);
  });
});
