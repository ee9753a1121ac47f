// Pods that try to reach what is not theirs: the node's own services, other files, and the machine of who looks at them.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { ociArchitecture, writeOciArchive } from "../../src/cmd/images/oci-archive.ts";
import { Cluster, run } from "./cluster.fixture.ts";
import { Pods, SLEEP } from "./pods.fixture.ts";

describe("hostile pods", () => {
  let cluster: Cluster;
  let pods: Pods;
  before(async () => {
    cluster = await Cluster.up();
    pods = new Pods(cluster);
  });
  after(() => cluster?.[Symbol.asyncDispose]());

  it("do not reach services on the node's loopback, not even with a route to it", async () => {
    const server = createServer((_request, response) => response.end("secret of the node"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    try {
      const securityContext = { capabilities: { add: ["NET_ADMIN", "NET_RAW"] } };
      await pods.create("prowler", [{ securityContext }]);
      await pods.untilReady("prowler");
      const gateway = (await pods.exec("prowler", "c0", "sh", "-c", "ip route | sed -n 's/default via \\([0-9.]*\\).*/\\1/p'")).trim();
      // Out of the pod goes what is for 127.0.0.1, as if it were an address of the node.
      const lead = ["ip addr del 127.0.0.1/8 dev lo", `ip route add 127.0.0.0/8 via ${gateway} dev eth0`];
      await cluster.tryKubectl(["exec", "prowler", "-c", "c0", "--", "sh", "-c", lead.join("; ")]);
      for (const host of ["127.0.0.1", gateway]) {
        const asked = await cluster.tryKubectl([
          "exec",
          "prowler",
          "-c",
          "c0",
          "--",
          "timeout",
          "3",
          "wget",
          "-qO-",
          `http://${host}:${port}/`,
        ]);
        assert.doesNotMatch(asked.stdout, /secret/, host);
        assert.notEqual(asked.code, 0, host);
      }
    } finally {
      server.close();
    }
  });

  it("stay in their own files though links of their image lead elsewhere", async () => {
    const outside = mkdtempSync(join(tmpdir(), "k8ts-outside-"));
    writeFileSync(join(outside, "hosts"), "untouched");
    const up = "../../../../../../../../..";
    const link = (path: string, target: string) => ({ type: "symlink" as const, path, target });
    const archive = join(outside, "image.tar");
    await writeOciArchive(archive, {
      reference: "docker.io/library/linked:latest",
      architecture: ociArchitecture(process.arch),
      config: { Env: ["PATH=/bin"] },
      entries: [
        { type: "copy", path: "bin/busybox", from: "/bin/busybox", mode: 0o755 },
        ...["sh", "sleep", "touch", "cat"].map((name) => link(`bin/${name}`, "busybox")),
        link("etc/hosts", `${up}${outside}/hosts`),
        link("data", `${outside}/data`),
        link("tmp/last", `${up}${outside}/last`),
      ],
    });
    try {
      await cluster.k8ts("image", "load", archive);
      const container = { image: "linked", command: ["sh", "-c", "touch /data/a; echo bye > /tmp/last; sleep 600"] };
      const volumeMounts = [{ name: "data", mountPath: "/data" }];
      const spec = { volumes: [{ name: "data", emptyDir: {} }] };
      await pods.create(
        "linked",
        [{ ...container, imagePullPolicy: "IfNotPresent", terminationMessagePath: "/tmp/last", volumeMounts }],
        spec,
      );
      await pods.untilReady("linked");
      assert.deepEqual(readdirSync(outside).sort(), ["hosts", "image.tar"]);
      assert.equal(readFileSync(join(outside, "hosts"), "utf8"), "untouched");
      await cluster.kubectl("delete", "pod", "linked", "--now");
      assert.deepEqual(readdirSync(outside).sort(), ["hosts", "image.tar"]);
    } finally {
      rmSync(outside, { recursive: true });
    }
  });

  it("find ports of the cluster only on the addresses that it was given", async () => {
    const allowed = /^(127\.|10\.199\.0\.1$|10\.96\.0\.10$)/;
    const processes = new Set(["server.pid", "node-1/agent.pid", "node-1/containerd.pid"].map((file) => cluster.pid(file)));
    const { stdout } = await run("ss", ["-H", "-l", "-n", "-t", "-u", "-p"]);
    const ours = stdout.split("\n").filter((line) => [...processes].some((pid) => line.includes(`pid=${pid},`)));
    assert.ok(ours.length >= 5, stdout);
    for (const line of ours) {
      const local = line.trim().split(/\s+/)[4] ?? "";
      assert.match(local.slice(0, local.lastIndexOf(":")), allowed, line);
    }
  });

  it("cannot make kubectl cp write beside the folder it was told", async () => {
    // A tar of the container's own, whose archive leads elsewhere by name and by link.
    const script = [
      "mkdir -p /fake/d && cd /fake && echo evil > /fake/evil && ln -s /tmp d/link",
      "printf '#!/bin/sh\\ncd /fake/d; exec /bin/busybox tar cf - link ../evil\\n' > /bin/tar && chmod 755 /bin/tar",
      ...SLEEP.slice(2),
    ];
    await pods.create("tarred", [{ command: ["sh", "-c", `rm -f /bin/tar; ${script.join("; ")}`] }]);
    await pods.untilReady("tarred");
    const directory = mkdtempSync(join(tmpdir(), "k8ts-cp-"));
    try {
      mkdirSync(join(directory, "into"));
      await cluster.tryKubectl(["cp", "tarred:/fake/d", join(directory, "into", "d")]);
      assert.deepEqual(readdirSync(directory), ["into"]);
      assert.equal(existsSync("/tmp/evil"), false);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it("see mounts of the node only when they ask for it, and pass on none of their own unless they may", async () => {
    const shared = mkdtempSync(join(tmpdir(), "k8ts-propagation-"));
    const volumes = [{ name: "shared", hostPath: { path: shared } }];
    const mounted = (mountPropagation: string) => [{ name: "shared", mountPath: "/shared", mountPropagation }];
    const privileged = { securityContext: { privileged: true } };
    try {
      await run("mount", ["--bind", shared, shared]);
      await run("mount", ["--make-shared", shared]);
      mkdirSync(join(shared, "node"));
      mkdirSync(join(shared, "pod"));
      await pods.create(
        "watchers",
        [
          { volumeMounts: mounted("None") },
          { volumeMounts: mounted("HostToContainer"), ...privileged },
          { volumeMounts: mounted("Bidirectional"), ...privileged },
        ],
        { volumes },
      );
      await pods.untilReady("watchers");
      await run("mount", ["-t", "tmpfs", "-o", "size=1M", "tmpfs", join(shared, "node")]);
      const sees = async (container: string, path: string) => {
        return new RegExp(` ${path} `).test(await pods.exec("watchers", container, "cat", "/proc/self/mounts"));
      };
      assert.deepEqual(await Promise.all(["c0", "c1", "c2"].map((name) => sees(name, "/shared/node"))), [false, true, true]);
      await pods.exec("watchers", "c1", "mount", "-t", "tmpfs", "tmpfs", "/shared/pod");
      const onNode = async () => (await run("cat", ["/proc/self/mounts"])).stdout.includes(` ${join(shared, "pod")} `);
      assert.equal(await onNode(), false, "HostToContainer passes nothing on");
      await pods.exec("watchers", "c2", "mount", "-t", "tmpfs", "tmpfs", "/shared/pod");
      assert.equal(await onNode(), true, "Bidirectional does");
    } finally {
      await cluster.tryKubectl(["delete", "pod", "watchers", "--now"]);
      for (const path of [join(shared, "pod"), join(shared, "node"), shared]) await run("umount", [path]);
      rmSync(shared, { recursive: true });
    }
  });
});
