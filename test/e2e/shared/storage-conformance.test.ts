// What Kubernetes' conformance tests ask of volumes, on real containers; behaviours that go together share a pod.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Volume, VolumeMount } from "../../../src/api/types/core/v1.ts";
import { Cluster, eventually, run } from "../cluster.fixture.ts";
import { Pods } from "../pods.fixture.ts";

const mount = (name: string, more: Partial<VolumeMount> = {}): VolumeMount => ({ name, mountPath: `/mnt/${name}`, ...more });
/** Mode, owner and content of files. */
const show = (...paths: string[]) => paths.map((path) => `stat -Lc '%a %u:%g' ${path}; cat ${path}; echo`).join("; ");
const lines = (text: string) => text.trim().split("\n");

describe("volumes as conformance wants them", () => {
  let cluster: Cluster;
  let pods: Pods;
  before(async () => {
    cluster = await Cluster.shared("storage");
    pods = new Pods(cluster);
    await cluster.kubectl("create", "configmap", "data", "--from-literal=one=1", "--from-literal=two=2");
    await cluster.kubectl("create", "secret", "generic", "data", "--from-literal=one=s1", "--from-literal=two=s2");
  });
  after(() => cluster[Symbol.asyncDispose]());

  const sources = {
    map: { configMap: { name: "data" } },
    secret: { secret: { secretName: "data" } },
    "projected-map": { projected: { sources: [{ configMap: { name: "data" } }] } },
    "projected-secret": { projected: { sources: [{ secret: { name: "data" } }] } },
  };

  it("show config maps and secrets with default modes, given modes and mappings", async () => {
    const items = [{ key: "two", path: "deep/second", mode: 0o400 }];
    const volumes: Volume[] = [
      ...Object.entries(sources).map(([name, source]) => ({ name, ...source })),
      { name: "moded", configMap: { name: "data", defaultMode: 0o400 } },
      { name: "secret-moded", secret: { secretName: "data", defaultMode: 0o400 } },
      { name: "projected-moded", projected: { defaultMode: 0o400, sources: [{ configMap: { name: "data" } }] } },
      { name: "mapped", configMap: { name: "data", items } },
      { name: "secret-mapped", secret: { secretName: "data", items } },
      {
        name: "projected-mapped",
        projected: {
          sources: [{ secret: { name: "data", items } }, { configMap: { name: "data", items: [{ key: "one", path: "first" }] } }],
        },
      },
    ];
    const plain = ["map", "secret", "projected-map", "projected-secret", "moded", "secret-moded", "projected-moded"];
    const script = show(
      ...plain.map((name) => `/mnt/${name}/one`),
      "/mnt/mapped/deep/second",
      "/mnt/secret-mapped/deep/second",
      "/mnt/projected-mapped/deep/second",
      "/mnt/projected-mapped/first",
    );
    await pods.scripts("modes", { all: script }, { volumes }, { volumeMounts: volumes.map(({ name }) => mount(name)) });
    assert.deepEqual(lines(await pods.output("modes", "all")), [
      ...["644 0:0", "1", "644 0:0", "s1", "644 0:0", "1", "644 0:0", "s1", "400 0:0", "1", "400 0:0", "s1", "400 0:0", "1"],
      ...["400 0:0", "2", "400 0:0", "s2", "400 0:0", "s2", "644 0:0", "1"],
    ]);
  });

  it("keep containers from writing to what the agent fills", async () => {
    const volumes: Volume[] = Object.entries(sources).map(([name, source]) => ({ name, ...source }));
    const script = `for d in /mnt/*; do touch $d/new 2>&1; done`;
    await pods.scripts("writer", { all: script }, { volumes }, { volumeMounts: volumes.map(({ name }) => mount(name)) });
    assert.equal((await pods.output("writer", "all")).match(/Read-only file system/g)?.length, volumes.length);
  });

  it("let users who are not root read by mode and fsGroup", async () => {
    const volumes: Volume[] = [
      { name: "open", configMap: { name: "data" } },
      { name: "grouped", secret: { secretName: "data", defaultMode: 0o440 } },
      { name: "projected", projected: { defaultMode: 0o440, sources: [{ secret: { name: "data" } }] } },
      { name: "scratch", emptyDir: {} },
    ];
    const script = `${show("/mnt/open/one", "/mnt/grouped/one", "/mnt/projected/one")}; touch /mnt/scratch/f; stat -c '%u:%g' /mnt/scratch/f`;
    const securityContext = { runAsUser: 1000, fsGroup: 1001 };
    await pods.scripts("grouped", { all: script }, { volumes, securityContext }, { volumeMounts: volumes.map(({ name }) => mount(name)) });
    assert.deepEqual(lines(await pods.output("grouped", "all")), ["644 0:1001", "1", "440 0:1001", "s1", "440 0:1001", "s1", "1000:1001"]);
  });

  it("show binary data, and one object in several volumes", async () => {
    const binaryData = { dump: Buffer.from([0xde, 0xca, 0xfe, 0xba, 0xd0, 0xfe, 0xff]).toString("base64") };
    await cluster.apply({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "binary" }, binaryData, data: { text: "t" } });
    const volumes = ["a", "b"].map((name) => ({ name, configMap: { name: "binary" } }));
    await pods.scripts(
      "binary",
      { all: "cat /mnt/a/text; od -An -tx1 /mnt/b/dump" },
      { volumes },
      { volumeMounts: [mount("a"), mount("b")] },
    );
    assert.match(await pods.output("binary", "all"), /^t de ca fe ba d0 fe ff/);
  });

  it("follow updates, deletions and creations of what they show", async () => {
    await cluster.kubectl("create", "configmap", "gone", "--from-literal=k=v");
    await cluster.kubectl("create", "configmap", "changed", "--from-literal=k=old");
    await cluster.kubectl("create", "secret", "generic", "gone", "--from-literal=k=v");
    const optional = true;
    const volumes: Volume[] = [
      { name: "gone", configMap: { name: "gone", optional } },
      { name: "changed", configMap: { name: "changed" } },
      { name: "later", configMap: { name: "later", optional } },
      { name: "secret-gone", secret: { secretName: "gone", optional } },
      { name: "projected", projected: { sources: [{ configMap: { name: "gone", optional } }, { secret: { name: "later", optional } }] } },
      {
        name: "labels",
        downwardAPI: {
          items: [
            { path: "l", fieldRef: { fieldPath: "metadata.labels" } },
            { path: "a", fieldRef: { fieldPath: "metadata.annotations" } },
          ],
        },
      },
    ];
    await pods.create("followed", [{ volumeMounts: volumes.map(({ name }) => mount(name)) }], { volumes }, { note: "old" });
    await pods.untilReady("followed");
    const startedAt = Date.now();
    await cluster.kubectl("delete", "configmap/gone", "secret/gone");
    await cluster.kubectl("patch", "configmap", "changed", "-p", '{"data":{"k":"new"}}');
    await cluster.kubectl("create", "configmap", "later", "--from-literal=k=here");
    await cluster.kubectl("create", "secret", "generic", "later", "--from-literal=s=too");
    await cluster.kubectl("label", "pod", "followed", "more=yes");
    await cluster.kubectl("annotate", "--overwrite", "pod", "followed", "note=new");
    const script =
      "cd /mnt; ls gone secret-gone; cat changed/k later/k projected/s; ls projected; cat labels/l labels/a | grep -E '^(more|note)='";
    const wanted = 'gone:\n\nsecret-gone:\nnewheretoos\nmore="yes"\nnote="new"\n';
    await eventually("all of it is seen", async () => (await pods.exec("followed", "c0", "sh", "-c", script)) === wanted, 60_000);
    assert.ok(Date.now() - startedAt < 45_000, "within seconds, not at the next minute");
  });

  it("keep immutable config maps and secrets as they are", async () => {
    await cluster.kubectl("create", "configmap", "fixed", "--from-literal=k=v");
    await cluster.kubectl("patch", "configmap", "fixed", "-p", '{"immutable":true}');
    const change = await cluster.tryKubectl(["patch", "configmap", "fixed", "-p", '{"data":{"k":"w"}}']);
    assert.match(change.stderr, /field is immutable when `immutable` is set/);
    assert.match((await cluster.tryKubectl(["patch", "configmap", "fixed", "-p", '{"immutable":false}'])).stderr, /immutable/);
  });

  it("give empty directories their modes on disk and in memory, shared by containers", async () => {
    const volumes: Volume[] = [
      { name: "disk", emptyDir: {} },
      { name: "memory", emptyDir: { medium: "Memory" } },
    ];
    const writes = [0o644, 0o666, 0o777]
      .map((mode) => `echo x > $d/${mode.toString(8)}; chmod ${mode.toString(8)} $d/${mode.toString(8)}`)
      .join("; ");
    const script = `for d in /mnt/disk /mnt/memory; do stat -c %a $d; grep -c " $d tmpfs" /proc/mounts; ${writes}; stat -c '%a %u' $d/*; rm $d/*; done`;
    const volumeMounts = [mount("disk"), mount("memory")];
    await pods.scripts("empty-root", { all: script }, { volumes }, { volumeMounts });
    await pods.scripts("empty-user", { all: script }, { volumes, securityContext: { runAsUser: 1001 } }, { volumeMounts });
    assert.deepEqual(lines(await pods.output("empty-root", "all")), [
      "777",
      "0",
      "644 0",
      "666 0",
      "777 0",
      "777",
      "1",
      "644 0",
      "666 0",
      "777 0",
    ]);
    assert.deepEqual(lines(await pods.output("empty-user", "all")), [
      "777",
      "0",
      "644 1001",
      "666 1001",
      "777 1001",
      "777",
      "1",
      "644 1001",
      "666 1001",
      "777 1001",
    ]);
    await pods.scripts(
      "shared",
      { writer: "echo hello > /mnt/disk/file", reader: "until cat /mnt/disk/file 2>/dev/null | grep hello; do sleep 0.1; done" },
      { volumes },
      { volumeMounts },
    );
    assert.equal(await pods.output("shared", "reader"), "hello\n");
  });

  it("put the whole projection API into one directory", async () => {
    const sourcesOfAll = [
      { secret: { name: "data", items: [{ key: "one", path: "secret" }] } },
      { configMap: { name: "data", items: [{ key: "one", path: "map" }] } },
      { downwardAPI: { items: [{ path: "name", fieldRef: { fieldPath: "metadata.name" } }] } },
      { serviceAccountToken: { path: "token" } },
    ];
    const volumes: Volume[] = [{ name: "all", projected: { sources: sourcesOfAll } }];
    await pods.scripts(
      "projected-all",
      { all: "cd /mnt/all; ls; cat secret map name; cut -c1-2 token" },
      { volumes },
      { volumeMounts: [mount("all")] },
    );
    assert.equal(await pods.output("projected-all", "all"), "map\nname\nsecret\ntoken\ns11projected-alley\n");
  });

  it("tell of the pod and its resources by the downward API", async () => {
    const resource = (path: string, name: string, divisor?: string, containerName = "all") => ({
      path,
      resourceFieldRef: { containerName, resource: name, ...(divisor === undefined ? {} : { divisor }) },
    });
    const items = [
      { path: "name", fieldRef: { fieldPath: "metadata.name" }, mode: 0o400 },
      resource("cpu-limit", "limits.cpu"),
      resource("cpu-request", "requests.cpu", "1m"),
      resource("memory-limit", "limits.memory"),
      resource("memory-request", "requests.memory", "1Mi"),
      resource("node-cpu", "limits.cpu", "1", "free"),
      resource("node-memory", "limits.memory", "1", "free"),
    ];
    const volumes: Volume[] = [
      { name: "down", downwardAPI: { items } },
      { name: "projected", projected: { defaultMode: 0o400, sources: [{ downwardAPI: { items } }] } },
    ];
    const script =
      'for d in /mnt/down /mnt/projected; do stat -Lc %a $d/name $d/cpu-limit; for f in $d/*; do echo "$(basename $f)=$(cat $f)"; done; done';
    const limits = { cpu: "1250m", memory: "64Mi" };
    const containers = [
      {
        name: "all",
        command: ["sh", "-c", script],
        resources: { limits, requests: { cpu: "250m", memory: "32Mi" } },
        volumeMounts: [mount("down"), mount("projected")],
      },
      { name: "free", command: ["true"] },
    ];
    await pods.create("downward", containers, { volumes, restartPolicy: "Never" });
    const [node] = (await cluster.get<{ items: { status: { allocatable: { cpu: string; memory: string } } }[] }>("nodes")).items;
    const { cpu, memory } = node?.status.allocatable ?? { cpu: "", memory: "" };
    const values = ["cpu-limit=2", "cpu-request=250", "memory-limit=67108864", "memory-request=32", "name=downward"];
    const nodeValues = [`node-cpu=${cpu}`, `node-memory=${Number.parseInt(memory, 10) * 1024}`];
    const all = [...values, ...nodeValues];
    assert.deepEqual(lines(await pods.output("downward", "all")), ["400", "644", ...all, "400", "400", ...all]);
  });

  it("mount single files and directories of volumes by subPath", async () => {
    const volumes: Volume[] = [
      ...Object.entries(sources).map(([name, source]) => ({ name, ...source })),
      { name: "down", downwardAPI: { items: [{ path: "name", fieldRef: { fieldPath: "metadata.name" } }] } },
    ];
    const file = (name: string, subPath: string) => ({ name, mountPath: `/files/${name}`, subPath });
    const volumeMounts = [
      file("map", "one"),
      file("secret", "one"),
      file("projected-map", "two"),
      file("projected-secret", "two"),
      file("down", "name"),
      { name: "map", mountPath: "/etc/nsswitch.conf", subPath: "two" },
    ];
    await pods.scripts("sub-paths", { all: "cat /files/* /etc/nsswitch.conf" }, { volumes }, { volumeMounts });
    assert.equal(await pods.output("sub-paths", "all"), "sub-paths12s2s12");
  });

  it("do not confuse objects of one name in two namespaces", async () => {
    await cluster.kubectl("create", "namespace", "storage-other");
    await cluster.kubectl("create", "secret", "generic", "data", "-n", "storage-other", "--from-literal=one=other");
    await pods.scripts(
      "same-name",
      { all: "cat /mnt/secret/one" },
      { volumes: [{ name: "secret", ...sources.secret }] },
      { volumeMounts: [mount("secret")] },
    );
    assert.equal(await pods.output("same-name", "all"), "s1");
  });

  it("survive many config maps in many pods at once", async () => {
    const names = Array.from({ length: 20 }, (_, index) => `many-${index}`);
    for (const name of names) await cluster.kubectl("create", "configmap", name, "--from-literal=k=v");
    const volumes = names.map((name) => ({ name, configMap: { name } }));
    const volumeMounts = names.map((name) => mount(name));
    await Promise.all([1, 2, 3, 4, 5].map((n) => pods.scripts(`racer-${n}`, { all: "cat /mnt/*/k" }, { volumes }, { volumeMounts })));
    for (const n of [1, 2, 3, 4, 5]) assert.equal(await pods.output(`racer-${n}`, "all"), "v".repeat(20));
  });

  it("show the files of an image", async () => {
    const volumes: Volume[] = [{ name: "image", image: { reference: "kubia", pullPolicy: "Always" } }];
    const containers = [
      {
        command: ["sh", "-c", "head -c 20 /mnt/image/app.js; cat /part/group | head -1; touch /mnt/image/x 2>&1"],
        volumeMounts: [mount("image"), { name: "image", mountPath: "/part", subPath: "etc" }],
      },
    ];
    await pods.create("image-volume", containers, { volumes, restartPolicy: "Never" });
    const text = await pods.output("image-volume", "c0");
    assert.match(text, /^const http = require/);
    assert.match(text, /root:x:0:/);
    assert.match(text, /Read-only file system/);
  });

  it("refuse paths that lead out of their volume", async () => {
    const volumes: Volume[] = [{ name: "work", emptyDir: {} }];
    const init = { name: "trap", image: "busybox", command: ["ln", "-s", "/etc", "/mnt/work/link"], volumeMounts: [mount("work")] };
    await pods.create("escape", [{ volumeMounts: [mount("work", { subPath: "link" })] }], { volumes, initContainers: [init] });
    await eventually("the container is refused", async () => {
      const waiting = (await pods.status("escape", "c0"))?.state?.waiting;
      return waiting?.reason === "CreateContainerConfigError" && /leads out of the volume/.test(waiting.message ?? "");
    });
    await cluster.kubectl("delete", "pod", "escape", "--now");
  });

  it("leave nothing behind when their pods are gone", async () => {
    const uids = new RegExp((await cluster.kubectl("get", "pods", "-o", "jsonpath={.items[*].metadata.uid}")).replaceAll(" ", "|"));
    await cluster.kubectl("delete", "pods", "--all", "--now");
    const directory = `${cluster.dataDirectory}/nodes/node-1/kubelet/pods`;
    await eventually("no directories", async () => !uids.test((await run("ls", [directory])).stdout));
    assert.doesNotMatch((await run("cat", ["/proc/self/mounts"])).stdout, uids);
    const snapshots = ["--address", `${cluster.runDirectory}/node-1/containerd.sock`, "-n", "k8s.io", "snapshots", "list"];
    await eventually("no views of images", async () => !/kubernetes.io~image/.test((await run("ctr", snapshots)).stdout));
  });
});
