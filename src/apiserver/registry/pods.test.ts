import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Stored, UncheckedObject } from "../../api/index.ts";
import { isConflict, isNotFound, StatusError } from "../../machinery/index.ts";
import { CoreFixture, describeEvents } from "./testing/core-fixture.ts";

interface PodView {
  readonly metadata: Stored["object"]["metadata"];
  readonly spec: {
    readonly nodeName?: string;
    readonly priority?: number;
    readonly serviceAccountName?: string;
    readonly tolerations?: readonly { readonly key?: string }[];
    readonly volumes?: readonly { readonly name: string; readonly projected?: unknown }[];
    readonly containers: readonly { readonly image?: string; readonly volumeMounts?: readonly { readonly mountPath: string }[] }[];
  };
  readonly status: { readonly phase?: string; readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

const view = ({ object }: Stored) => object as unknown as PodView;

function pod(name: string, { labels = {}, spec = {} }: { labels?: Record<string, string>; spec?: object } = {}): UncheckedObject {
  return { apiVersion: "v1", kind: "Pod", metadata: { name, labels }, spec: { containers: [{ name: "c", image: "busybox" }], ...spec } };
}

async function start(): Promise<CoreFixture> {
  const server = await CoreFixture.start();
  await server.create("serviceaccounts", { metadata: { name: "default" } });
  return server;
}

const bindTo = (node: string) => ({ target: { kind: "Node", name: node } }) as unknown as UncheckedObject;

describe("pods", () => {
  it("get an account, its token, default tolerations and a priority", async () => {
    await using server = await start();
    const { spec } = view(await server.create("pods", pod("a")));
    assert.equal(spec.serviceAccountName, "default");
    assert.equal(spec.priority, 0);
    assert.deepEqual(
      spec.tolerations?.map(({ key }) => key),
      ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"],
    );
    assert.match(spec.volumes?.[0]?.name ?? "", /^kube-api-access-[a-z0-9]{5}$/);
    assert.equal(spec.containers[0]?.volumeMounts?.[0]?.mountPath, "/var/run/secrets/kubernetes.io/serviceaccount");
  });

  it("are refused without their service account", async () => {
    await using server = await start();
    await assert.rejects(server.create("pods", pod("a", { spec: { serviceAccountName: "x" } })), {
      message: 'pods "a" is forbidden: error looking up service account default/x: serviceaccount "x" not found',
    });
  });

  it("are bound once", async () => {
    await using server = await start();
    await server.create("pods", pod("a"));
    await server.create("pods", bindTo("n1"), { name: "a", subresource: "binding" });
    const { spec, status } = view(await server.get("pods", "a"));
    assert.equal(spec.nodeName, "n1");
    assert.ok(status.conditions?.some(({ type, status: is }) => type === "PodScheduled" && is === "True"));
    await assert.rejects(server.create("pods", bindTo("n2"), { name: "a", subresource: "binding" }), isConflict);
  });

  it("that run on a node are deleted with grace, which a second deletion shortens", async () => {
    await using server = await start();
    await server.create("pods", pod("a"));
    await server.create("pods", bindTo("n1"), { name: "a", subresource: "binding" });
    const kept = await server.delete("pods", "a");
    assert.ok("stored" in kept);
    assert.equal(kept.stored.object.metadata.deletionGracePeriodSeconds, 30);
    assert.equal(kept.stored.object.metadata.deletionTimestamp, "2026-01-01T00:00:30Z");
    await server.delete("pods", "a", { gracePeriodSeconds: 5 });
    assert.equal((await server.get("pods", "a")).object.metadata.deletionTimestamp, "2026-01-01T00:00:05Z");
    await server.delete("pods", "a", { gracePeriodSeconds: 0 });
    await assert.rejects(server.get("pods", "a"), isNotFound);
  });

  it("change their status by the status subresource only", async () => {
    await using server = await start();
    await server.create("pods", pod("a"));
    const { object } = await server.get("pods", "a");
    const changed = { ...object, status: { phase: "Running" } };
    await server.update("pods", changed);
    assert.equal(view(await server.get("pods", "a")).status.phase, "Pending");
    await server.update("pods", { ...changed, spec: { nodeName: "x" } } as never, { subresource: "status" });
    const after = view(await server.get("pods", "a"));
    assert.deepEqual([after.status.phase, after.spec.containers.length], ["Running", 1]);
  });

  it("are evicted as far as their disruption budget allows", async () => {
    await using server = await start();
    await server.create("pods", pod("a", { labels: { app: "x" } }));
    const running = { metadata: { name: "a" }, status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] } };
    const statusScope = server.scope("pods", { name: "a", subresource: "status" });
    await server.core.patch(statusScope, running, { type: "application/merge-patch+json" });
    const budget = { metadata: { name: "b" }, spec: { minAvailable: 1, selector: { matchLabels: { app: "x" } } } };
    await server.create("policy/v1/poddisruptionbudgets", budget);
    const budgetStatus = server.scope("policy/v1/poddisruptionbudgets", { name: "b", subresource: "status" });
    const allow = (disruptionsAllowed: number) =>
      server.core.patch(budgetStatus, { status: { disruptionsAllowed, observedGeneration: 1 } }, { type: "application/merge-patch+json" });
    const evict = () => server.create("pods", { metadata: { name: "a" } }, { name: "a", subresource: "eviction" });
    await allow(0);
    await assert.rejects(evict(), (error) => error instanceof StatusError && error.code === 429);
    await allow(1);
    await evict();
    await assert.rejects(server.get("pods", "a"), isNotFound);
  });

  it("come and go in a watch as they begin and cease to match", async () => {
    await using server = await start();
    await server.create("pods", pod("a", { labels: { app: "x" } }));
    const seen: string[] = [];
    const follow = async (selectors: object) => {
      for await (const batch of await server.core.watch(server.scope("pods"), selectors)) seen.push(...describeEvents(batch));
    };
    void follow({ labelSelector: "app=y", timeoutSeconds: 1 });
    void follow({ fieldSelector: "spec.nodeName=n1", timeoutSeconds: 1 });
    await server.clock.advance(0);
    const type = "application/merge-patch+json";
    await server.core.patch(server.scope("pods", { name: "a" }), { metadata: { labels: { app: "y" } } }, { type });
    await server.clock.advance(0);
    await server.create("pods", bindTo("n1"), { name: "a", subresource: "binding" });
    await server.core.patch(server.scope("pods", { name: "a" }), { metadata: { labels: { app: "z" } } }, { type });
    await server.clock.advance(2000);
    assert.deepEqual([...seen].sort(), ["ADDED a", "ADDED a", "DELETED a", "MODIFIED a", "MODIFIED a"]);
  });
});
