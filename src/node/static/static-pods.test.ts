import assert from "node:assert/strict";
import { test } from "node:test";
import { resources } from "../../api/index.ts";
import { AgentWorld } from "../agent.fixture.ts";
import type { FileWatcher } from "../logs/file-watcher.ts";
import { ManifestError, staticPod } from "./static-pod.ts";

const manifest = (image: string) =>
  JSON.stringify({ kind: "Pod", metadata: { name: "proxy" }, spec: { containers: [{ name: "main", image }] } });

/** Says that the directory changed when it is told to. */
class ManualWatcher implements FileWatcher {
  changed = () => {};

  watch(_directory: string, onChange: () => void): () => void {
    this.changed = onChange;
    return () => {};
  }
}

const DIRECTORY = "/manifests";
const FILE = `${DIRECTORY}/proxy.yaml`;

class StaticWorld extends AgentWorld {
  readonly watcher = new ManualWatcher();

  async run(): Promise<void> {
    this.start({ manifestDirectory: DIRECTORY, watcher: this.watcher });
    await this.clock.advance(2_000);
  }

  async write(text: string): Promise<void> {
    await this.files.write(FILE, text);
    this.watcher.changed();
    await this.clock.advance(5_000);
  }
}

test("a manifest runs as a pod of the node's name, with a mirror in the API", async () => {
  await using world = new StaticWorld();
  await world.write(manifest("proxy:1"));
  await world.run();
  const mirror = world.pod("proxy-node-1");
  assert.equal(mirror?.status?.phase, "Running");
  assert.equal(mirror?.metadata.ownerReferences?.[0]?.kind, "Node");
  assert.equal(mirror?.metadata.annotations?.["kubernetes.io/config.source"], "file");
  assert.deepEqual(mirror?.spec?.tolerations, [{ operator: "Exists", effect: "NoExecute" }]);
  const [running] = await world.runtime.listPods();
  assert.equal(running?.uid, mirror?.metadata.annotations?.["kubernetes.io/config.mirror"]);
});

test("a mirror pod that is deleted comes back, and the pod runs on", async () => {
  await using world = new StaticWorld();
  await world.write(manifest("proxy:1"));
  await world.run();
  const [before] = await world.runtime.listPods();
  await world.client.delete(resources.pods, "proxy-node-1", { namespace: "default" });
  await world.clock.advance(5_000);
  assert.equal(world.pod("proxy-node-1")?.metadata.deletionTimestamp, undefined);
  assert.equal(world.phase("proxy-node-1"), "Running");
  assert.deepEqual(await world.runtime.listPods(), [before]);
});

test("a changed manifest replaces the pod, a removed one ends it", async () => {
  await using world = new StaticWorld();
  await world.write(manifest("proxy:1"));
  await world.run();
  await world.write(manifest("proxy:2"));
  await world.clock.advance(5_000);
  assert.equal(world.pod("proxy-node-1")?.spec?.containers[0]?.image, "proxy:2");
  assert.equal((await world.runtime.listPods()).length, 1);
  await world.files.remove(FILE);
  world.watcher.changed();
  await world.clock.advance(5_000);
  assert.equal(world.pod("proxy-node-1"), undefined);
  assert.deepEqual(await world.runtime.listPods(), []);
});

test("a restarted agent takes its static pods over", async () => {
  await using world = new StaticWorld();
  await world.write(manifest("proxy:1"));
  await world.run();
  const [before] = await world.runtime.listPods();
  await world.stop();
  await world.run();
  assert.deepEqual(await world.runtime.listPods(), [before]);
});

test("a manifest that is no pod is refused with a reason", () => {
  assert.throws(() => staticPod("kind: Deployment\nmetadata: {name: a}", "/m/a.yaml", "node-1"), ManifestError);
  assert.throws(() => staticPod("a: [", "/m/a.yaml", "node-1"), /couldn't parse as pod/);
  assert.throws(() => staticPod("kind: Pod\nmetadata: {name: a}\nspec: {containers: []}", "/m/a.yaml", "node-1"), /spec.containers/);
});
