import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { UncheckedObject, WriteOptions } from "../../../api/index.ts";
import { CoreFixture, configMap, type Place } from "../../registry/testing/core-fixture.ts";
import { type Answering, WebhookServer } from "../../webhooks/testing/webhook-server.ts";

interface Sent {
  readonly uid: string;
  readonly operation: string;
  readonly name?: string;
  readonly subResource?: string;
  readonly kind: { readonly kind: string; readonly group: string; readonly version: string };
  readonly requestKind: object;
  readonly object: UncheckedObject | null;
  readonly oldObject: UncheckedObject | null;
  readonly dryRun: boolean;
}

type Says = (sent: Sent, path: string) => object;

/** Answers a review with what `says` has of it, allowed unless it says otherwise. */
function reviewing(says: Says): Answering {
  return ({ body, path }) => {
    const { request } = body as { readonly request: Sent };
    const response = { uid: request.uid, allowed: true, ...says(request, path) };
    return { kind: "AdmissionReview", apiVersion: "admission.k8s.io/v1", response };
  };
}

const patchOf = (...operations: object[]) => ({
  patchType: "JSONPatch",
  patch: Buffer.from(JSON.stringify(operations)).toString("base64"),
});

class HookFixture implements AsyncDisposable {
  readonly sent: Sent[] = [];
  readonly server: CoreFixture;
  readonly hooks: WebhookServer;

  private constructor(server: CoreFixture, hooks: WebhookServer) {
    this.server = server;
    this.hooks = hooks;
  }

  static async start(says: Says): Promise<HookFixture> {
    const hooks = await WebhookServer.start();
    const fixture = new HookFixture(await CoreFixture.start({ serviceResolver: hooks }), hooks);
    hooks.answering = reviewing((sent, path) => {
      fixture.sent.push(sent);
      return says(sent, path);
    });
    return fixture;
  }

  async configure(kind: "validating" | "mutating", name: string, webhook: object = {}): Promise<void> {
    const rule = { operations: ["*"], apiGroups: [""], apiVersions: ["*"], resources: ["configmaps"] };
    const service = { namespace: "default", name: "hook", path: `/${name}` };
    const clientConfig = { service, caBundle: this.hooks.caBundle };
    const defaults = { name: `${name}.example.com`, rules: [rule], clientConfig, sideEffects: "None", admissionReviewVersions: ["v1"] };
    const configuration = { metadata: { name }, webhooks: [{ ...defaults, ...webhook }] };
    await this.server.create(`admissionregistration.k8s.io/v1/${kind}webhookconfigurations`, configuration);
    await this.server.clock.advance(0);
  }

  async create(name: string, data: Record<string, string> = {}, { options = {}, ...place }: Place & { options?: WriteOptions } = {}) {
    const stored = await this.server.core.create(this.server.scope("configmaps", place), configMap(name, data), options);
    return stored.object as { readonly data?: Record<string, string> };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    await this.hooks[Symbol.asyncDispose]();
  }
}

describe("a validating webhook", () => {
  it("denies with its own reason, code and message, and warns", async () => {
    const status = { message: "not today", reason: "Conflict", code: 409 };
    await using at = await HookFixture.start(() => ({ allowed: false, status, warnings: ["beware"], auditAnnotations: { why: "so" } }));
    await at.configure("validating", "deny");
    await assert.rejects(at.create("a"), (error: { message: string; code: number; reason: string }) => {
      assert.equal(error.message, 'admission webhook "deny.example.com" denied the request: not today');
      return error.code === 409 && error.reason === "Conflict";
    });
    assert.deepEqual(at.server.warnings, ["beware"]);
    assert.equal(at.server.annotations["deny.example.com/why"], "so");
  });

  it("sees creations, updates and deletions with both states", async () => {
    await using at = await HookFixture.start(() => ({}));
    await at.configure("validating", "see");
    await at.create("a", { k: "1" });
    await at.server.update("configmaps", configMap("a", { k: "2" }) as never);
    await at.server.delete("configmaps", "a");
    const data = (object: UncheckedObject | null) => (object?.["data"] as { k?: string } | undefined)?.k;
    assert.deepEqual(
      at.sent.map(({ operation, object, oldObject }) => [operation, data(object), data(oldObject)]),
      [
        ["CREATE", "1", undefined],
        ["UPDATE", "2", "1"],
        ["DELETE", undefined, "2"],
      ],
    );
    assert.equal(at.sent[0]?.object?.["kind"], "ConfigMap");
  });

  it("is asked about each object of a collection that is deleted", async () => {
    await using at = await HookFixture.start(() => ({}));
    await at.create("a");
    await at.create("b");
    await at.configure("validating", "see");
    await at.server.core.deleteCollection(at.server.scope("configmaps"), {}, {});
    assert.deepEqual(at.sent.map(({ operation, name }) => `${operation} ${name}`).sort(), ["DELETE a", "DELETE b"]);
  });

  it("that cannot be reached denies, unless its failures are ignored", async () => {
    await using at = await HookFixture.start(() => ({}));
    at.hooks.answering = () => 404;
    await at.configure("validating", "closed", { failurePolicy: "Fail" });
    await assert.rejects(at.create("a"), {
      message:
        'Internal error occurred: failed calling webhook "closed.example.com": failed to call webhook: the server could not find the requested resource',
    });
    await at.server.delete("admissionregistration.k8s.io/v1/validatingwebhookconfigurations", "closed");
    await at.configure("validating", "open", { failurePolicy: "Ignore" });
    await at.create("a");
    assert.equal(at.server.annotations["failed-open.validating.webhook.admission.k8s.io/round_0_index_0"], "open.example.com");
  });

  it("that takes too long has failed", async () => {
    await using at = await HookFixture.start(() => ({}));
    const asked = new Promise<void>((resolve) => {
      at.hooks.answering = () => {
        resolve();
        return "never";
      };
    });
    await at.configure("validating", "slow", { timeoutSeconds: 1 });
    const refused = assert.rejects(
      at.create("a"),
      /failed calling webhook "slow.example.com": failed to call webhook: Post "https:\/\/hook.default.svc:443\/slow\?timeout=1s": context deadline exceeded/,
    );
    await asked;
    await at.server.clock.advance(1_000);
    await refused;
  });

  it("is spoken to in the version that it knows", async () => {
    await using at = await HookFixture.start(() => ({}));
    at.hooks.answering = ({ body }) => {
      const { apiVersion } = body as { apiVersion: string };
      return { response: { allowed: apiVersion === "admission.k8s.io/v1beta1" } };
    };
    await at.configure("validating", "old", { admissionReviewVersions: ["v0", "v1beta1"] });
    await at.create("a");
  });

  it("that speaks out of turn is an invalid answer", async () => {
    await using at = await HookFixture.start(() => ({ uid: "other" }));
    await at.configure("validating", "odd");
    await assert.rejects(
      at.create("a"),
      /failed calling webhook "odd.example.com": received invalid webhook response: expected response.uid=/,
    );
  });

  it("does not see webhook configurations, whatever its rules say", async () => {
    await using at = await HookFixture.start(() => ({ allowed: false }));
    const rules = [{ operations: ["*"], apiGroups: ["*"], apiVersions: ["*"], resources: ["*/*"] }];
    await at.configure("validating", "all", { rules });
    await at.server.delete("admissionregistration.k8s.io/v1/validatingwebhookconfigurations", "all");
    assert.equal(at.sent.length, 0);
  });

  it("is chosen by namespace and object labels, and by matchConditions", async () => {
    await using at = await HookFixture.start(() => ({}));
    await at.server.create("namespaces", { metadata: { name: "watched", labels: { hooks: "on" } } });
    await at.configure("validating", "namespaced", { namespaceSelector: { matchLabels: { hooks: "on" } } });
    await at.configure("validating", "labelled", { objectSelector: { matchLabels: { app: "x" } } });
    const matchConditions = [{ name: "not-me", expression: "object.metadata.name != 'skip-me' && request.userInfo.username == 'alice'" }];
    await at.configure("validating", "conditional", { matchConditions });
    await at.create("skip-me", {}, { namespace: "watched" });
    assert.equal(at.hooks.requests.map(({ path }) => path).join(), "/namespaced?timeout=10s");
    await at.create("a");
    assert.equal(at.hooks.requests.at(-1)?.path, "/conditional?timeout=10s");
    await at.server.create("configmaps", configMap("skip-me", {}, { labels: { app: "x" } }));
    assert.equal(at.hooks.requests.at(-1)?.path, "/labelled?timeout=10s");
  });

  it("without rules sees nothing", async () => {
    await using at = await HookFixture.start(() => ({ allowed: false }));
    await at.configure("validating", "idle", { rules: [] });
    await at.create("a");
    assert.equal(at.hooks.requests.length, 0);
  });

  it("whose condition fails denies closed", async () => {
    await using at = await HookFixture.start(() => ({}));
    await at.configure("validating", "c", { matchConditions: [{ name: "c", expression: "object.data.missing == 'x'" }] });
    await assert.rejects(at.create("a", { k: "v" }), {
      message: `configmaps "a" is forbidden: expression 'object.data.missing == 'x'' resulted in error: no such key: missing`,
    });
  });

  it("sees subresources by the kind that clients send", async () => {
    await using at = await HookFixture.start(({ subResource }) => ({ allowed: subResource !== "eviction" }));
    const rules = [{ operations: ["*"], apiGroups: ["", "apps"], apiVersions: ["*"], resources: ["*/scale", "pods/eviction"] }];
    await at.configure("validating", "sub", { rules });
    const spec = {
      replicas: 1,
      selector: { matchLabels: { a: "b" } },
      template: { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "i" }] } },
    };
    await at.server.create("apps/v1/deployments", { metadata: { name: "d" }, spec });
    const scale = { apiVersion: "autoscaling/v1", kind: "Scale", metadata: { name: "d" }, spec: { replicas: 3 } };
    await at.server.update("apps/v1/deployments", scale, { subresource: "scale" });
    assert.deepEqual(at.sent[0]?.kind, { group: "autoscaling", version: "v1", kind: "Scale" });
    assert.deepEqual([at.sent[0]?.object?.["spec"], at.sent[0]?.oldObject?.["spec"]], [{ replicas: 3 }, { replicas: 1 }]);
    const eviction = at.server.create("pods", { metadata: { name: "p" } }, { name: "p", subresource: "eviction" });
    await assert.rejects(eviction, { message: 'admission webhook "sub.example.com" denied the request without explanation' });
    assert.equal(at.sent[1]?.kind.kind, "Eviction");
  });

  it("sees the version that it asked for, unless it wants exactly that", async () => {
    await using at = await HookFixture.start(() => ({}));
    const rules = [{ operations: ["CREATE"], apiGroups: ["autoscaling"], apiVersions: ["v2"], resources: ["horizontalpodautoscalers"] }];
    await at.configure("validating", "exact", { rules, matchPolicy: "Exact" });
    const target = { apiVersion: "apps/v1", kind: "Deployment", name: "d" };
    const scaler = (name: string) => ({
      metadata: { name },
      spec: { scaleTargetRef: target, maxReplicas: 3, targetCPUUtilizationPercentage: 50 },
    });
    await at.server.create("autoscaling/v1/horizontalpodautoscalers", scaler("a"));
    assert.equal(at.sent.length, 0);
    await at.configure("validating", "equivalent", { rules });
    await at.server.create("autoscaling/v1/horizontalpodautoscalers", scaler("b"));
    const [sent] = at.sent;
    assert.equal(sent?.kind.version, "v2");
    assert.deepEqual(sent?.requestKind, { group: "autoscaling", version: "v1", kind: "HorizontalPodAutoscaler" });
    assert.equal(sent?.object?.["apiVersion"], "autoscaling/v2");
    assert.equal((sent?.object?.["spec"] as { metrics?: object[] } | undefined)?.metrics?.length, 1);
  });

  it("can refuse that someone attaches to a pod", async () => {
    await using at = await HookFixture.start(() => ({ allowed: false }));
    await at.configure("validating", "connect", {
      rules: [{ operations: ["CONNECT"], apiGroups: [""], apiVersions: ["v1"], resources: ["pods/attach"] }],
    });
    const scope = at.server.scope("pods", { name: "p", subresource: "attach" });
    await assert.rejects(
      at.server.core.admitConnection(scope, { kind: "PodAttachOptions", apiVersion: "v1", container: "c" }),
      /denied the request/,
    );
    assert.deepEqual(at.sent[0]?.object, { kind: "PodAttachOptions", apiVersion: "v1", container: "c" });
  });

  it("is told of dry runs", async () => {
    await using at = await HookFixture.start(() => ({}));
    await at.configure("validating", "dry");
    await at.create("a", {}, { options: { dryRun: true } });
    assert.equal(at.sent[0]?.dryRun, true);
  });
});

describe("mutating webhooks", () => {
  it("change the object in the order of their configurations, and defaults follow", async () => {
    await using at = await HookFixture.start((_sent, path) => {
      const stage = path.startsWith("/a") ? "/data/first" : "/data/second";
      return patchOf({ op: "add", path: stage, value: "yes" });
    });
    await at.configure("mutating", "b");
    await at.configure("mutating", "a");
    const { data } = await at.create("x", { k: "v" });
    assert.deepEqual(data, { k: "v", first: "yes", second: "yes" });
    assert.deepEqual((at.sent[1]?.object as { data?: object } | null)?.data, { k: "v", first: "yes" });
  });

  it("have what they add defaulted, and admitted by the plug-ins before them", async () => {
    const container = { name: "added", image: "i" };
    await using at = await HookFixture.start(() => patchOf({ op: "add", path: "/spec/initContainers", value: [container] }));
    await at.server.create("serviceaccounts", { metadata: { name: "default" } });
    await at.configure("mutating", "pods", {
      rules: [{ operations: ["CREATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["pods"] }],
    });
    const { object } = await at.server.create("pods", { metadata: { name: "p" }, spec: { containers: [{ name: "c", image: "i" }] } });
    const [added] = (object as unknown as { spec: { initContainers: Record<string, unknown>[] } }).spec.initContainers;
    assert.equal(added?.["terminationMessagePolicy"], "File");
    assert.equal((added?.["volumeMounts"] as object[] | undefined)?.length, 1);
    assert.equal(at.sent.length, 1);
  });

  it("are asked again after others changed the object, if they say so", async () => {
    await using at = await HookFixture.start((_sent, path) =>
      path.startsWith("/a") ? {} : patchOf({ op: "add", path: "/data/b", value: "1" }),
    );
    await at.configure("mutating", "a", { reinvocationPolicy: "IfNeeded" });
    await at.configure("mutating", "b");
    await at.create("x", { k: "v" });
    assert.deepEqual(
      at.hooks.requests.map(({ path }) => path.slice(0, 2)),
      ["/a", "/b", "/a"],
    );
  });

  it("cannot change what is deleted, nor patch what does not fit", async () => {
    await using at = await HookFixture.start(() => patchOf({ op: "remove", path: "/data/none" }));
    await at.create("a");
    await at.configure("mutating", "m");
    await assert.rejects(
      at.server.delete("configmaps", "a"),
      /"m.example.com" attempted to modify the object, which is not supported for this operation/,
    );
    await assert.rejects(at.create("b"), { code: 500 } as object);
  });

  it("change a Scale and leave the rest of its object alone", async () => {
    await using at = await HookFixture.start(() => patchOf({ op: "replace", path: "/spec/replicas", value: 2 }));
    const spec = {
      replicas: 1,
      selector: { matchLabels: { a: "b" } },
      template: { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "i" }] } },
    };
    await at.server.create("apps/v1/deployments", { metadata: { name: "d" }, spec });
    await at.configure("mutating", "scale", {
      rules: [{ operations: ["UPDATE"], apiGroups: ["apps"], apiVersions: ["v1"], resources: ["deployments/scale"] }],
    });
    const scale = { apiVersion: "autoscaling/v1", kind: "Scale", metadata: { name: "d" }, spec: { replicas: 5 } };
    const { object } = await at.server
      .update("apps/v1/deployments", scale, { subresource: "scale" })
      .then(() => at.server.get("apps/v1/deployments", "d"));
    assert.equal((object as unknown as { spec: { replicas: number } }).spec.replicas, 2);
  });
});

describe("webhook configurations", () => {
  it("with conditions that do not compile are refused", async () => {
    await using at = await HookFixture.start(() => ({}));
    const conditions = [{ name: "bad", expression: "object.metadata.name ==" }];
    await assert.rejects(
      at.configure("mutating", "x", { matchConditions: conditions }),
      /webhooks\[0\].matchConditions\[0\].expression: Invalid value: "object.metadata.name ==": compilation failed: ERROR: <input>:1:/,
    );
    const text = [{ name: "text", expression: "'a'" }];
    await assert.rejects(
      at.configure("validating", "y", { matchConditions: text }),
      /expression: Invalid value: "'a'": must evaluate to bool/,
    );
  });
});
