// A cluster that keeps its objects in an etcd, and moves from there into its own data directory and back.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { EtcdCluster } from "../../src/storage/etcd/etcd.fixture.ts";
import { Cluster, eventually } from "./cluster.fixture.ts";

describe("a cluster on etcd", () => {
  let etcd: EtcdCluster;
  let cluster: Cluster;
  const url = () => `etcd://${etcd.endpoints.join(",")}`;
  before(async () => {
    etcd = await EtcdCluster.start();
    cluster = await Cluster.up({ options: ["--store", url()] });
  });
  after(async () => {
    await cluster?.[Symbol.asyncDispose]();
    await etcd[Symbol.asyncDispose]();
  });

  const isReady = () => cluster.kubectl("rollout", "status", "deployment/kubia", "--timeout=60s");

  it("runs an application", async () => {
    await cluster.kubectl("create", "deployment", "kubia", "--image=kubia");
    await cluster.kubectl("create", "secret", "generic", "s", "--from-literal=password=not-for-etcd");
    assert.match(await isReady(), /successfully rolled out/);
  });

  it("goes on after its server and its etcd were killed", async () => {
    process.kill(cluster.pid("server.pid"), "SIGKILL");
    await etcd.killMember(0);
    etcd.startMember(0);
    await cluster.k8ts("up");
    await cluster.kubectl("scale", "deployment", "kubia", "--replicas=2");
    assert.match(await isReady(), /successfully rolled out/);
  });

  it("is saved while it runs, and the file is found whole", async () => {
    const file = join(cluster.dataDirectory, "../cluster.snapshot");
    assert.match(await cluster.k8ts("snapshot", "save", file), /saved \d+ objects at revision \d+/);
    assert.match(await cluster.k8ts("snapshot", "verify", file), /is whole: \d+ objects/);
  });

  it("moves into its data directory and back, with everything", async () => {
    const uid = () => cluster.kubectl("get", "deployment", "kubia", "-o", "jsonpath={.metadata.uid}");
    const before_ = await uid();
    assert.match(await cluster.k8ts("store", "migrate", "lmdb"), /moved \d+ objects/);
    assert.equal(await uid(), before_);
    assert.equal(
      await cluster.kubectl("get", "secret", "s", "-o", "jsonpath={.data.password}"),
      Buffer.from("not-for-etcd").toString("base64"),
    );
    const refused = await cluster.tryK8ts("store", "migrate", url());
    assert.match(refused.stderr, /there are objects in the new store already/);
    await cluster.k8ts("store", "migrate", `${url()}/another`);
    assert.equal(await uid(), before_);
    await cluster.kubectl("scale", "deployment", "kubia", "--replicas=3");
    await eventually("three pods", async () => (await cluster.kubectl("get", "deployment", "kubia")).includes("3/3"));
  });
});
