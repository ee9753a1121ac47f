// Certificate requests from the request to the certificate, with a real authority.
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { describe, it } from "node:test";
import { resources } from "../../../src/api/index.ts";
import type { CertificateSigningRequest } from "../../../src/api/types/certificates/v1.ts";
import { issueAuthority } from "../../../src/cmd/pki/issue.ts";
import { requestAuthority } from "../../../src/cmd/pki/request-authority.ts";
import { csrApprovingController, csrCleanerController, csrSigningController } from "../../../src/controllers/index.ts";
import { isInvalid, isNotFound } from "../../../src/machinery/index.ts";
import { pkcs10 } from "../pkcs10.fixture.ts";
import { ControllerCluster } from "./controller-cluster.ts";

const CLIENT = "kubernetes.io/kube-apiserver-client";

class Requests {
  readonly cluster: ControllerCluster;
  readonly ca: string;

  private constructor(cluster: ControllerCluster, ca: string) {
    this.cluster = cluster;
    this.ca = ca;
  }

  static async start(): Promise<Requests> {
    const cluster = new ControllerCluster();
    const authority = await issueAuthority("test-ca", cluster.clock);
    const options = { authority: requestAuthority(authority, cluster.clock) };
    await cluster.begin(
      (context) => csrApprovingController(context, options),
      (context) => csrSigningController(context, options),
      (context) => csrCleanerController(context, options),
    );
    return new Requests(cluster, authority.certificate);
  }

  create(name: string, spec: CertificateSigningRequest["spec"]): Promise<unknown> {
    return this.cluster.create(resources.certificatesigningrequests, { metadata: { name }, spec });
  }

  get(name: string) {
    return this.cluster.client.get(resources.certificatesigningrequests, name);
  }

  async approve(name: string, type = "Approved"): Promise<void> {
    const request = await this.get(name);
    const conditions = [...(request.status?.conditions ?? []), { type, status: "True", reason: "ByHand", message: "" }];
    await this.cluster.client.update(
      resources.certificatesigningrequests,
      { ...request, status: { ...request.status, conditions } },
      { subresource: "approval" },
    );
  }

  /** Signing takes real turns of the event loop. */
  async settled(name: string): Promise<CertificateSigningRequest["status"]> {
    for (let turn = 0; turn < 5_000; turn++) {
      await this.cluster.clock.advance(1);
      const { status } = await this.get(name);
      if (status?.certificate !== undefined || status?.conditions?.some(({ type }) => type === "Failed")) return status as never;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    return (await this.get(name)).status as never;
  }
}

const spec = (request: string, more: object = {}): CertificateSigningRequest["spec"] => ({
  request,
  signerName: CLIENT,
  usages: ["digital signature", "client auth"],
  ...more,
});

describe("certificate signing requests", () => {
  it("say who asked, whatever the client says", async () => {
    const requests = await Requests.start();
    await using _ = requests.cluster;
    await requests.create("a", spec(await pkcs10("CN=jane"), { username: "root", groups: ["system:masters", "x"] }));
    const { username, groups } = (await requests.get("a")).spec;
    assert.deepEqual([username, groups], ["admin", ["system:masters"]]);
  });

  it("are signed once they are approved, for the name, the usages and the time that were asked for", async () => {
    const requests = await Requests.start();
    await using _ = requests.cluster;
    await requests.create("a", spec(await pkcs10("CN=jane,O=dev"), { expirationSeconds: 3_600 }));
    assert.equal((await requests.settled("a"))?.certificate, undefined);
    await requests.approve("a");
    const status = await requests.settled("a");
    const certificate = new X509Certificate(Buffer.from(status?.certificate ?? "", "base64"));
    assert.ok(certificate.verify(new X509Certificate(requests.ca).publicKey));
    assert.match(certificate.subject, /CN=jane/);
    assert.match(certificate.subject, /O=dev/);
    assert.equal(Date.parse(certificate.validTo) - Date.parse(certificate.validFrom), 3_600_000);
    assert.deepEqual(certificate.keyUsage, ["1.3.6.1.5.5.7.3.2"]);
    assert.notEqual(status?.conditions?.[0]?.lastUpdateTime, undefined);
  });

  it("keep the names that a kubelet's server asks for", async () => {
    const requests = await Requests.start();
    await using _ = requests.cluster;
    const request = await pkcs10("CN=system:node:n,O=system:nodes", ["n.example.com"]);
    await requests.create(
      "a",
      spec(request, { signerName: "kubernetes.io/kubelet-serving", usages: ["digital signature", "server auth"] }),
    );
    await requests.approve("a");
    const status = await requests.settled("a");
    assert.equal(new X509Certificate(Buffer.from(status?.certificate ?? "", "base64")).subjectAltName, "DNS:n.example.com");
  });

  it("fail when they do not fit their signer's rules", async () => {
    const requests = await Requests.start();
    await using _ = requests.cluster;
    await requests.create("a", spec(await pkcs10("CN=jane"), { signerName: "kubernetes.io/kubelet-serving", usages: ["server auth"] }));
    await requests.approve("a");
    const failed = (await requests.settled("a"))?.conditions?.find(({ type }) => type === "Failed");
    assert.deepEqual([failed?.reason, failed?.message], ["SignerValidationFailure", "subject organization is not system:nodes"]);
  });

  it("of kubelets for their own client certificate are approved by themselves", async () => {
    const requests = await Requests.start();
    await using _ = requests.cluster;
    const request = await pkcs10("CN=system:node:n,O=system:nodes");
    await requests.create("a", spec(request, { signerName: "kubernetes.io/kube-apiserver-client-kubelet" }));
    const status = await requests.settled("a");
    assert.deepEqual(
      status?.conditions?.map(({ type, reason }) => [type, reason]),
      [["Approved", "AutoApproved"]],
    );
    assert.notEqual(status?.certificate, undefined);
  });

  it("cannot be both approved and denied", async () => {
    const requests = await Requests.start();
    await using _ = requests.cluster;
    await requests.create("a", spec(await pkcs10("CN=jane")));
    await requests.approve("a", "Denied");
    await assert.rejects(requests.approve("a"), isInvalid);
  });

  it("are removed when no one waits for them", async () => {
    const requests = await Requests.start();
    await using _ = requests.cluster;
    await requests.create("a", spec(await pkcs10("CN=jane")));
    await requests.create("b", spec(await pkcs10("CN=jane")));
    await requests.approve("b", "Denied");
    await requests.cluster.clock.advance(3_600_000 + 10);
    await assert.rejects(requests.get("b"), isNotFound);
    await requests.get("a");
    await requests.cluster.clock.advance(23 * 3_600_000);
    await assert.rejects(requests.get("a"), isNotFound);
  });
});
