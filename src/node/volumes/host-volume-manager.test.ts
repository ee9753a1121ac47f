import assert from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { ConfigMap, Pod, Secret, Volume } from "../../api/types/core/v1.ts";
import { SeededRandom, VirtualClock } from "../../base/index.ts";
import { notFound } from "../../machinery/index.ts";
import { HostVolumeManager } from "./host-volume-manager.ts";
import type { Mounter, MountRequest } from "./mounter.ts";
import { giveToGroup } from "./ownership.ts";
import { VolumeError } from "./volume-manager.ts";

/** Remembers mounts; a bind shows where it led when it was made. */
class RecordingMounter implements Mounter {
  readonly mounts = new Map<string, MountRequest & { readonly realSource: string }>();

  async mount(request: MountRequest): Promise<void> {
    const realSource = request.type === "bind" ? realpathSync(request.source) : request.source;
    this.mounts.set(request.target, { ...request, realSource });
  }

  async unmount(target: string): Promise<void> {
    this.mounts.delete(target);
  }

  async mountPoints(directory: string): Promise<readonly string[]> {
    return [...this.mounts.keys()].filter((target) => target === directory || target.startsWith(`${directory}/`));
  }
}

describe("HostVolumeManager", () => {
  let rootDir: string;
  let mounter: RecordingMounter;
  let clock: VirtualClock;
  let manager: HostVolumeManager;
  const configMaps = new Map<string, ConfigMap>();
  const secrets = new Map<string, Secret>();
  let tokensIssued: number;

  beforeEach(() => {
    rootDir = mkdtempSync(join(tmpdir(), "k8ts-volumes-"));
    mounter = new RecordingMounter();
    clock = new VirtualClock();
    tokensIssued = 0;
    configMaps.clear();
    secrets.clear();
    const find = <T>(objects: Map<string, T>, resource: string, name: string): T => {
      const object = objects.get(name);
      if (object === undefined) throw notFound({ group: "", resource }, name);
      return object;
    };
    manager = new HostVolumeManager({
      rootDir,
      mounter,
      clock,
      random: new SeededRandom(1),
      pid: process.pid,
      allocatable: () => ({ cpu: "4" }),
      objects: {
        configMap: async (_namespace, name) => find(configMaps, "configmaps", name),
        secret: async (_namespace, name) => find(secrets, "secrets", name),
        claim: async (_namespace, name) => ({
          metadata: { name, uid: "claim-uid" },
          spec: { volumeName: "pv" },
          status: { phase: name === "bound" ? "Bound" : "Pending" },
        }),
        volume: async (name) => ({ metadata: { name }, spec: { local: { path: rootDir }, claimRef: { uid: "claim-uid" } } }),
      },
      trustBundles: { anchors: async (_uid, { name }) => `anchors of ${name}`, forget: () => {} },
      certificates: {
        credential: async () => ({ privateKey: "KEY\n", chain: "CHAIN\n", beginRefreshAtMs: 0, notAfterMs: 0, told: [] }),
        forget: () => {},
      },
      client: {
        createSubresource: async () => {
          tokensIssued++;
          const expirationTimestamp = new Date(clock.now() + 3_600_000).toISOString();
          return { status: { token: `token-${tokensIssued}`, expirationTimestamp } };
        },
      },
    });
  });
  afterEach(() => rmSync(rootDir, { recursive: true, force: true }));

  function podWith(volumes: Volume[], securityContext = {}): Pod {
    const metadata = { name: "web", namespace: "default", uid: "u1", labels: { app: "web", tier: "a" } };
    return { metadata, spec: { containers: [{ name: "main" }], volumes, securityContext, serviceAccountName: "builder" } };
  }

  async function mountOne(volume: Omit<Volume, "name">, securityContext = {}): Promise<string> {
    const paths = await manager.mountPod(podWith([{ name: "v", ...volume }], securityContext));
    return paths.get("v") ?? "";
  }

  it("makes an empty directory that everyone may write to, in kubelet's place", async () => {
    const path = await mountOne({ emptyDir: {} });
    assert.equal(path, join(rootDir, "pods/u1/volumes/kubernetes.io~empty-dir/v"));
    assert.equal(statSync(path).mode & 0o7777, 0o777);
    assert.equal(mounter.mounts.size, 0);
  });

  it("puts emptyDirs of medium Memory on a tmpfs with their size limit, and secrets on one too", async () => {
    const path = await mountOne({ emptyDir: { medium: "Memory", sizeLimit: "64Mi" } });
    assert.deepEqual(mounter.mounts.get(path)?.options, [`size=${64 * 2 ** 20}`]);
    secrets.set("s", { metadata: {}, data: { key: Buffer.from("value").toString("base64") } });
    const paths = await manager.mountPod(
      podWith([
        { name: "v", emptyDir: {} },
        { name: "w", secret: { secretName: "s", defaultMode: 0o400 } },
      ]),
    );
    const secret = paths.get("w") ?? "";
    assert.equal(mounter.mounts.get(secret)?.type, "tmpfs");
    assert.equal(readFileSync(join(secret, "key"), "utf8"), "value");
    assert.equal(statSync(join(secret, "key")).mode & 0o777, 0o400);
  });

  it("switches a configMap's files at once, and only when they change", async () => {
    configMaps.set("c", { metadata: {}, data: { a: "1", b: "2" } });
    const volume = {
      name: "v",
      configMap: {
        name: "c",
        items: [
          { key: "a", path: "dir/x", mode: 0o600 },
          { key: "b", path: "y" },
        ],
      },
    };
    const path = (await manager.mountPod(podWith([volume]))).get("v") ?? "";
    const first = readlinkSync(join(path, "..data"));
    assert.match(first, /^\.\.2026_01_01_00_00_00\./);
    assert.equal(statSync(join(path, "dir/x")).mode & 0o777, 0o600);
    await manager.update(podWith([volume]));
    assert.equal(readlinkSync(join(path, "..data")), first);
    configMaps.set("c", { metadata: {}, data: { a: "new" } });
    await manager.update(podWith([{ name: "v", configMap: { name: "c" } }]));
    assert.deepEqual(readdirSync(path).sort(), [readlinkSync(join(path, "..data")), "..data", "a"].sort());
    assert.equal(readFileSync(join(path, "a"), "utf8"), "new");
  });

  it("says which object or key is missing, unless it is optional", async () => {
    await assert.rejects(mountOne({ configMap: { name: "c" } }), (error) => {
      return error instanceof VolumeError && error.volumeName === "v" && error.message === 'configmaps "c" not found';
    });
    configMaps.set("c", { metadata: {}, data: {} });
    const items = [{ key: "a", path: "a" }];
    await assert.rejects(mountOne({ configMap: { name: "c", items } }), /configmap "default\/c" references non-existent config key: a/);
    const path = await mountOne({ configMap: { name: "c", items, optional: true } });
    assert.deepEqual(
      readdirSync(path).filter((name) => !name.startsWith("..")),
      [],
    );
  });

  it("projects certificates with their keys, which only their users may read, and what they are to be trusted by", async () => {
    const signed = { signerName: "example.com/s", keyType: "ED25519" };
    const sources = [
      { clusterTrustBundle: { name: "roots", path: "ca/roots.pem" } },
      { podCertificate: { ...signed, credentialBundlePath: "all.pem" } },
      { podCertificate: { ...signed, keyPath: "key.pem", certificateChainPath: "chain.pem" } },
    ];
    const path = await mountOne({ projected: { sources } }, { fsGroup: process.getgid?.() });
    const read = (name: string) => readFileSync(join(path, name), "utf8");
    assert.deepEqual(["ca/roots.pem", "all.pem", "key.pem", "chain.pem"].map(read), [
      "anchors of roots",
      "KEY\nCHAIN\n",
      "KEY\n",
      "CHAIN\n",
    ]);
    assert.equal(statSync(join(path, "key.pem")).mode & 0o007, 0);
  });

  it("projects tokens, fields and objects into one directory, and renews a token at 80 % of its life", async () => {
    configMaps.set("ca", { metadata: {}, data: { "ca.crt": "CERT" } });
    const pod = podWith([
      {
        name: "v",
        projected: {
          sources: [
            { serviceAccountToken: { path: "token", expirationSeconds: 3_600 } },
            { configMap: { name: "ca" } },
            {
              downwardAPI: {
                items: [
                  { path: "namespace", fieldRef: { fieldPath: "metadata.namespace" } },
                  { path: "labels", fieldRef: { fieldPath: "metadata.labels" } },
                  { path: "cpu", resourceFieldRef: { containerName: "main", resource: "limits.cpu" } },
                ],
              },
            },
          ],
        },
      },
    ]);
    const path = (await manager.mountPod(pod)).get("v") ?? "";
    const read = (name: string) => readFileSync(join(path, name), "utf8");
    assert.deepEqual(["token", "ca.crt", "namespace", "labels", "cpu"].map(read), [
      "token-1",
      "CERT",
      "default",
      'app="web"\ntier="a"',
      "4",
    ]);
    await clock.advance(0.8 * 3_600_000 - 1);
    await manager.update(pod);
    assert.equal(read("token"), "token-1");
    await clock.advance(1);
    await manager.update(pod);
    assert.equal(read("token"), "token-2");
  });

  it("gives files and directories to the fsGroup", { skip: process.getuid?.() !== 0 && "needs root" }, async () => {
    configMaps.set("c", { metadata: {}, data: { a: "1" } });
    const path = await mountOne({ configMap: { name: "c", defaultMode: 0o600 } }, { fsGroup: 2_000 });
    const { gid, mode } = statSync(join(path, "a"));
    assert.deepEqual([gid, mode & 0o777], [2_000, 0o640]);
  });

  it("checks what stands at a hostPath", async () => {
    const path = join(rootDir, "made/here");
    assert.equal(await mountOne({ hostPath: { path, type: "DirectoryOrCreate" } }), path);
    await manager.unmountPod("u1");
    assert.ok(statSync(path).isDirectory());
    await assert.rejects(mountOne({ hostPath: { path, type: "File" } }), new RegExp(`hostPath type check failed: ${path} is not a file`));
  });

  it("uses the local volume of a bound claim and refuses an unbound one", async () => {
    assert.equal(await mountOne({ persistentVolumeClaim: { claimName: "bound" } }), rootDir);
    await manager.unmountPod("u1");
    await assert.rejects(mountOne({ persistentVolumeClaim: { claimName: "other" } }), /PVC default\/other is not bound/);
  });

  it("binds a subPath that stays in the volume and makes what is missing", async () => {
    const pod = podWith([{ name: "v", emptyDir: {} }]);
    const volume = (await manager.mountPod(pod)).get("v") ?? "";
    mkdirSync(join(volume, "real"));
    symlinkSync("real", join(volume, "link"));
    const target = await manager.subPath(pod, "v", "link/deep/er");
    assert.equal(mounter.mounts.get(target)?.realSource, join(realpathSync(volume), "real/deep/er"));
    assert.equal(await manager.subPath(pod, "v", "link/deep/er"), target);
  });

  it("refuses a subPath that leads out of the volume by name or by link", async () => {
    const pod = podWith([{ name: "v", emptyDir: {} }]);
    const volume = (await manager.mountPod(pod)).get("v") ?? "";
    symlinkSync("/etc", join(volume, "out"));
    for (const subPath of ["../x", "a/../../x", "/etc", "out", "out/new"]) {
      await assert.rejects(manager.subPath(pod, "v", subPath), VolumeError, subPath);
    }
    assert.equal(mounter.mounts.size, 0);
  });

  it("leaves alone what a forged link in a volume leads to", async () => {
    configMaps.set("settings", { metadata: {}, data: { color: "blue" } });
    const pod = podWith([{ name: "v", configMap: { name: "settings" } }]);
    const volume = (await manager.mountPod(pod)).get("v") ?? "";
    const precious = join(rootDir, "precious");
    mkdirSync(precious);
    writeFileSync(join(precious, "file"), "");
    rmSync(join(volume, "..data"));
    symlinkSync(precious, join(volume, "..data"));
    configMaps.set("settings", { metadata: {}, data: { color: "green" } });
    await manager.update(pod);
    assert.equal(readFileSync(join(volume, "color"), "utf8"), "green");
    assert.deepEqual(readdirSync(precious), ["file"]);
  });

  it("gives no file outside a volume to its fsGroup", { skip: process.getuid?.() !== 0 && "needs root" }, async () => {
    const outside = join(rootDir, "outside");
    writeFileSync(outside, "", { mode: 0o600 });
    const pod = podWith([{ name: "v", emptyDir: {} }], {});
    const volume = (await manager.mountPod(pod)).get("v") ?? "";
    symlinkSync(outside, join(volume, "link"));
    mkdirSync(join(volume, "directory"));
    writeFileSync(join(volume, "directory/file"), "", { mode: 0o600 });
    await giveToGroup(volume, 4242, { onRootMismatch: false });
    assert.equal(statSync(outside).gid, 0);
    assert.equal(statSync(outside).mode & 0o777, 0o600);
    assert.equal(statSync(join(volume, "directory/file")).gid, 4242);
    assert.equal(statSync(join(volume, "directory/file")).mode & 0o777, 0o660);
    assert.equal(statSync(join(volume, "directory")).gid, 4242);
  });

  it("unmounts and removes everything of a pod, also of an earlier process", async () => {
    await mountOne({ emptyDir: { medium: "Memory" } });
    mkdirSync(join(rootDir, "pods/old/volumes"), { recursive: true });
    writeFileSync(join(rootDir, "pods/old/etc-hosts"), "");
    assert.deepEqual([...(await manager.listPods())].sort(), ["old", "u1"]);
    await manager.unmountPod("u1");
    await manager.unmountPod("old");
    assert.equal(mounter.mounts.size, 0);
    assert.deepEqual(await manager.listPods(), []);
  });
});
