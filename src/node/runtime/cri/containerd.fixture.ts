// A private containerd with a busybox image, for tests on machines that have it. Leaves nothing behind.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { pack } from "tar-stream";
import { type Clock, silentLogger, sleepWith } from "../../../base/index.ts";
import { CriRuntime } from "./cri-runtime.ts";

/** The machine's own time: containers really run. */
export const hostClock: Clock = {
  now: () => Math.floor(Number(process.hrtime.bigint() - STARTED_NS) / 1e6) + STARTED_MS,
  monotonic: () => Number(process.hrtime.bigint() - STARTED_NS) / 1e6,
  setTimeout: (fire, delayMs) => {
    const timer = setTimeout(fire, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
  sleep: (delayMs, signal) => sleepWith(hostClock, delayMs, signal),
};
const STARTED_NS = process.hrtime.bigint();
const STARTED_MS = Date.now();

/** The reason why these tests cannot run here, or false. */
export function containerdMissing(): string | false {
  if (process.getuid?.() !== 0) return "needs root";
  for (const file of ["/usr/bin/containerd", "/usr/bin/ctr", "/bin/busybox", "/usr/bin/catatonit", "/usr/lib/cni/ptp"]) {
    if (!existsSync(file)) return `needs ${file}`;
  }
  return false;
}

const APPLETS = [
  "sh",
  "sleep",
  "cat",
  "echo",
  "ls",
  "id",
  "nc",
  "httpd",
  "true",
  "false",
  "env",
  "kill",
  "stat",
  "seq",
  "hostname",
  "tr",
  "head",
];

async function layer(program: string, target: string, links: readonly string[]): Promise<Buffer> {
  const tar = pack();
  for (const name of ["bin", "tmp", "etc"]) tar.entry({ name, type: "directory", mode: 0o755 });
  tar.entry({ name: target, mode: 0o755 }, readFileSync(program));
  for (const name of links) tar.entry({ name: `bin/${name}`, type: "symlink", linkname: "busybox" });
  tar.finalize();
  return buffer(tar);
}

async function ociArchive(reference: string, content: Buffer, config: object): Promise<Buffer> {
  const tar = pack();
  const blob = (bytes: Buffer) => {
    const digest = createHash("sha256").update(bytes).digest("hex");
    tar.entry({ name: `blobs/sha256/${digest}` }, bytes);
    return { digest: `sha256:${digest}`, size: bytes.length };
  };
  const type = (name: string) => `application/vnd.oci.image.${name}`;
  const architecture = process.arch === "arm64" ? "arm64" : "amd64";
  const layers = [{ mediaType: type("layer.v1.tar"), ...blob(content) }];
  const rootfs = { type: "layers", diff_ids: layers.map(({ digest }) => digest) };
  const configBlob = {
    mediaType: type("config.v1+json"),
    ...blob(Buffer.from(JSON.stringify({ architecture, os: "linux", config, rootfs }))),
  };
  const manifest = { schemaVersion: 2, mediaType: type("manifest.v1+json"), config: configBlob, layers };
  const manifests = [
    {
      mediaType: manifest.mediaType,
      ...blob(Buffer.from(JSON.stringify(manifest))),
      annotations: { "io.containerd.image.name": reference },
    },
  ];
  tar.entry({ name: "index.json" }, JSON.stringify({ schemaVersion: 2, manifests }));
  tar.entry({ name: "oci-layout" }, JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  tar.finalize();
  return buffer(tar);
}

function configOf(directory: string): string {
  return `version = 2
root = "${directory}/root"
state = "${directory}/state"
[grpc]
  address = "${directory}/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "registry.test/pause:1"
  restrict_oom_score_adj = true
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${directory}/cni"
`;
}

function networkOf(directory: string): string {
  // Tests run side by side: each has a network of its own.
  const subnet = `10.213.${process.pid % 256}.0/24`;
  const ipam = {
    type: "host-local",
    dataDir: `${directory}/ipam`,
    ranges: [[{ subnet }]],
    routes: [{ dst: "0.0.0.0/0" }],
  };
  return JSON.stringify({
    cniVersion: "0.4.0",
    name: "k8ts-test",
    plugins: [
      { type: "ptp", ipMasq: false, ipam },
      { type: "bandwidth", capabilities: { bandwidth: true } },
    ],
  });
}

export interface PrivateContainerd extends AsyncDisposable {
  readonly runtime: CriRuntime;
  readonly directory: string;
  readonly image: string;
  readonly cgroupParent: string;
}

export async function startContainerd(): Promise<PrivateContainerd> {
  const directory = await mkdtemp(join(tmpdir(), "k8ts-containerd-"));
  await mkdir(join(directory, "cni"));
  await writeFile(join(directory, "config.toml"), configOf(directory));
  await writeFile(join(directory, "cni", "10-test.conflist"), networkOf(directory));
  const daemon = spawn("containerd", ["-c", join(directory, "config.toml")], { stdio: "ignore" });
  const socketPath = join(directory, "containerd.sock");
  const runtime = new CriRuntime({ socketPath, clock: hostClock, logger: silentLogger });
  await until(async () => (await runtime.status().catch(() => undefined))?.networkReady === true);
  const image = "registry.test/busybox:1";
  await importImage(directory, await ociArchive(image, await layer("/bin/busybox", "bin/busybox", APPLETS), { Env: ["PATH=/bin"] }));
  const pause = await layer("/usr/bin/catatonit", "bin/pause", []);
  await importImage(directory, await ociArchive("registry.test/pause:1", pause, { Entrypoint: ["/bin/pause", "-P"] }));
  await until(async () => (await runtime.imageStatus(image)) !== undefined);
  const cgroupParent = `/k8ts-test-${process.pid}`;
  const dispose = async () => {
    for (const { sandboxes } of await runtime.listPods()) {
      for (const { id } of sandboxes) {
        await runtime.stopSandbox(id);
        await runtime.removeSandbox(id);
      }
    }
    runtime.close();
    const ended = new Promise((resolve) => daemon.once("exit", resolve));
    daemon.kill();
    await ended;
    spawnSync("sh", ["-c", `grep -o '${directory}[^ ]*' /proc/mounts | sort -r | xargs -r umount -l`]);
    spawnSync("sh", ["-c", `rmdir /sys/fs/cgroup/${cgroupParent} /sys/fs/cgroup/*${cgroupParent} 2>/dev/null`]);
    await rm(directory, { recursive: true, force: true });
  };
  return { runtime, directory, image, cgroupParent, [Symbol.asyncDispose]: dispose };
}

async function importImage(directory: string, archive: Buffer): Promise<void> {
  const file = join(directory, "image.tar");
  await writeFile(file, archive);
  execFileSync("ctr", ["-a", join(directory, "containerd.sock"), "-n", "k8s.io", "images", "import", file], { stdio: "ignore" });
  await rm(file);
}

/** Waits up to ten seconds. */
export async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let tried = 0; tried < 200; tried++) {
    if (await condition()) return;
    await hostClock.sleep(50);
  }
  throw new Error("waited ten seconds in vain");
}
