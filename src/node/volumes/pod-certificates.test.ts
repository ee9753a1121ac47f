import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { describe, it } from "node:test";
import { resources } from "../../api/index.ts";
import type { PodCertificateRequest } from "../../api/types/certificates/v1beta1.ts";
import type { Pod, PodCertificateProjection } from "../../api/types/core/v1.ts";
import { SeededRandom, silentLogger, VirtualClock } from "../../base/index.ts";
import { SharedInformers } from "../../client/index.ts";
import { type DeepReadonly, readPkcs10 } from "../../machinery/index.ts";
import { TestAuthority } from "../../machinery/x509/test-authority.fixture.ts";
import { FakeClient } from "../fake-client.fixture.ts";
import { PodCertificates } from "./pod-certificates.ts";

const authority = await TestAuthority.make();
const pod: Pod = {
  metadata: { name: "web", namespace: "default", uid: "pod-uid" },
  spec: { containers: [{ name: "main" }], serviceAccountName: "builder" },
};
const place = { volumeName: "v", sourceIndex: 0 };
const MINUTE = 60_000;

class World {
  readonly clock = new VirtualClock();
  readonly client = new FakeClient(() => this.clock.now());
  readonly changed: string[] = [];
  readonly events: string[] = [];
  readonly certificates: PodCertificates;
  readonly #stop = new AbortController();

  private constructor() {
    const common = { client: this.client, clock: this.clock, random: new SeededRandom(1), logger: silentLogger };
    this.certificates = new PodCertificates({ ...common, informers: new SharedInformers(common), nodeName: "node-1" });
    this.certificates.start({
      signal: this.#stop.signal,
      onChange: (uid) => this.changed.push(uid),
      warn: (_pod, reason, message) => this.events.push(`${reason}: ${message}`),
    });
  }

  static async start(): Promise<World> {
    const world = new World();
    await world.client.create(resources.serviceaccounts, { metadata: { name: "builder" } }, { namespace: "default" });
    await world.client.create(resources.nodes, { metadata: { name: "node-1" } });
    return world;
  }

  credential(source: Partial<PodCertificateProjection> = {}) {
    return this.certificates.credential(pod, place, { signerName: "example.com/s", keyType: "ED25519", ...source });
  }

  async requests(): Promise<readonly DeepReadonly<PodCertificateRequest>[]> {
    return (await this.client.list(resources.podcertificaterequests)).items;
  }

  /** Keys are made in other threads: waits in real turns of the event loop. */
  async request(index = 0): Promise<DeepReadonly<PodCertificateRequest>> {
    for (let turn = 0; turn < 1_000; turn++) {
      const request = (await this.requests())[index];
      if (request !== undefined) return request;
      await new Promise((resolve) => setImmediate(resolve));
    }
    return assert.fail("no request was made");
  }

  async answer(request: DeepReadonly<PodCertificateRequest>, type: string, status: object = {}): Promise<void> {
    const conditions = [{ type, status: "True", reason: "Why", message: "because", lastTransitionTime: "2026-01-01T00:00:00Z" }];
    await this.client.update(resources.podcertificaterequests, { ...request, status: { ...status, conditions } }, { namespace: "default" });
    await this.clock.advance(1);
  }

  async issue(request: DeepReadonly<PodCertificateRequest>): Promise<void> {
    const { publicKey } = readPkcs10(Buffer.from(request.spec.stubPKCS10Request, "base64")) ?? assert.fail("no PKCS #10");
    const nowMs = this.clock.now();
    const at = (ms: number) => new Date(nowMs + ms).toISOString();
    await this.answer(request, "Issued", {
      certificateChain: await authority.issue(publicKey, { notBeforeMs: nowMs, lifeSeconds: 3_600 }),
      notBefore: at(0),
      beginRefreshAt: at(30 * MINUTE),
      notAfter: at(60 * MINUTE),
    });
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
  }
}

describe("the certificates of a node's pods", () => {
  it("are asked for in the pod's name, for a key that stays on the node", async () => {
    using world = await World.start();
    const waiting = world.credential({ maxExpirationSeconds: 3_600, userAnnotations: { "example.com/a": "b" } });
    const request = await world.request();
    const { stubPKCS10Request: _, ...spec } = request.spec;
    assert.deepEqual(spec, {
      signerName: "example.com/s",
      podName: "web",
      podUID: "pod-uid",
      serviceAccountName: "builder",
      serviceAccountUID: "uid-builder",
      nodeName: "node-1",
      nodeUID: "uid-node-1",
      maxExpirationSeconds: 3_600,
      unverifiedUserAnnotations: { "example.com/a": "b" },
    });
    assert.deepEqual(request.metadata.ownerReferences, [{ apiVersion: "v1", kind: "Pod", name: "web", uid: "pod-uid" }]);
    await world.issue(request);
    const { privateKey, chain } = await waiting;
    assert.ok(new X509Certificate(chain).publicKey.equals(createPublicKey(createPrivateKey(privateKey))));
    assert.deepEqual(world.changed, ["pod-uid"]);
    assert.equal((await world.credential()).chain, chain);
    assert.equal((await world.requests()).length, 1);
  });

  it("keep a pod waiting that is told when they come", async () => {
    using world = await World.start();
    const waiting = assert.rejects(world.credential(), { message: "credential bundle is not issued yet" });
    const request = await world.request();
    await world.clock.advance(2_000);
    await waiting;
    assert.deepEqual(world.changed, []);
    await world.issue(request);
    assert.deepEqual(world.changed, ["pod-uid"]);
    await world.credential();
  });

  it("that a signer refuses are not asked for again", async () => {
    using world = await World.start();
    const refused = assert.rejects(world.credential(), {
      message: 'PodCertificateRequest was permanently denied: reason="Why" message="because"',
    });
    await world.answer(await world.request(), "Denied");
    await refused;
    await assert.rejects(world.credential(), /permanently denied/);
    assert.equal((await world.requests()).length, 1);
    assert.match(world.events[0] ?? "", /^Denied: PodCertificateRequest default\/req-\d+ was denied/);
  });

  it("are renewed with a new key, and the old one is shown meanwhile, also when the server is away", async () => {
    using world = await World.start();
    const first = world.credential();
    await world.issue(await world.request());
    const { privateKey } = await first;
    await world.clock.advance(36 * MINUTE);
    world.client.isAway = true;
    assert.equal((await world.credential()).privateKey, privateKey);
    world.client.isAway = false;
    await world.clock.advance(MINUTE);
    assert.equal((await world.credential()).privateKey, privateKey);
    await world.issue(await world.request(1));
    assert.notEqual((await world.credential()).privateKey, privateKey);
  });
});
