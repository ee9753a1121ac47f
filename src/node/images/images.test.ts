import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../../base/index.ts";
import { MemoryFiles } from "../files.ts";
import { type Runtime, RuntimeError } from "../runtime/runtime.ts";
import { credentialsFor, imageRepository, nodeCredentialsFor } from "./credentials.ts";
import { type ImageError, ImagePuller } from "./image-puller.ts";
import { DEFAULT_VERIFICATION, PullRecords } from "./pull-records.ts";

function pullerOf(runtime: Runtime, clock: VirtualClock): ImagePuller {
  const records = new PullRecords({ files: new MemoryFiles(), directory: "/image_manager", verification: DEFAULT_VERIFICATION, clock });
  return new ImagePuller({ runtime, clock, records });
}

test("image names are completed with Docker Hub's registry", () => {
  assert.equal(imageRepository("nginx:1.27"), "index.docker.io/nginx");
  assert.equal(imageRepository("docker.io/library/nginx@sha256:abc"), "index.docker.io/library/nginx");
  assert.equal(imageRepository("localhost:5000/app:v1"), "localhost:5000/app");
});

test("pull secrets are found by registry, wildcard and path, the most specific first", () => {
  const auths = {
    "https://index.docker.io/v1/": { username: "hub", password: "p" },
    "*.example.com": { auth: Buffer.from("any:a:b").toString("base64") },
    "reg.example.com/team": { username: "team", password: "t" },
  };
  const data = { ".dockerconfigjson": Buffer.from(JSON.stringify({ auths })).toString("base64") };
  const secrets = [{ metadata: {}, type: "kubernetes.io/dockerconfigjson", data }];
  const users = (image: string) => credentialsFor(image, secrets).map(({ auth }) => `${auth.username}/${auth.password}`);
  assert.deepEqual(users("busybox"), ["hub/p"]);
  const servers = (image: string) => credentialsFor(image, secrets).map(({ auth }) => auth.serverAddress);
  assert.deepEqual(servers("busybox"), ["https://registry-1.docker.io"], "as the runtime knows it");
  assert.deepEqual(servers("reg.example.com/other"), ["https://reg.example.com"], "the registry, not the pattern");
  assert.deepEqual(users("reg.example.com/team/app"), ["team/t", "any/a:b"]);
  assert.deepEqual(users("reg.example.com/other"), ["any/a:b"]);
  assert.deepEqual(users("example.com/x"), []);
});

test("the node's own docker configuration gives credentials that are no pod's", () => {
  const config = JSON.stringify({ auths: { "reg.example.com": { username: "node", password: "n" } } });
  const [found, ...others] = nodeCredentialsFor("reg.example.com/team/app", config);
  assert.deepEqual([found?.auth.username, found?.secret, others], ["node", undefined, []]);
  assert.deepEqual(nodeCredentialsFor("other.example.com/app", config), []);
  assert.deepEqual(nodeCredentialsFor("reg.example.com/team/app", "no JSON"), []);
});

test("a failed pull backs off 10 s, then 20 s; Never does not pull", async () => {
  const runtime = {
    imageStatus: async () => undefined,
    pullImage: () => Promise.reject(new RuntimeError("IMAGE_PULL", "no such host")),
  } as unknown as Runtime;
  const puller = pullerOf(runtime, new VirtualClock());
  const told: string[] = [];
  const ask = (policy: string) =>
    puller.ensure({ image: "a/b:1", policy, podUid: "u", credentials: [], report: (_type, reason) => told.push(reason) }).then(
      () => undefined,
      (error: ImageError) => [error.reason, error.retryAfterMs, error.message],
    );
  assert.deepEqual(await ask("Always"), ["ErrImagePull", 10_000, "no such host"]);
  assert.deepEqual(await ask("IfNotPresent"), ["ErrImagePull", 20_000, "no such host"]);
  assert.deepEqual(await ask("Never"), ["ErrImageNeverPull", 10_000, 'Container image "a/b:1" is not present with pull policy of Never']);
  assert.deepEqual(told, ["Pulling", "Failed", "Pulling", "Failed", "ErrImageNeverPull"]);
});

test("five images are pulled at a time, and a pull that is given up leaves the line", async () => {
  const clock = new VirtualClock();
  let underWay = 0;
  let most = 0;
  const runtime = {
    imageStatus: async (image: string) =>
      image.startsWith("sha256") ? { id: image, repoTags: [], repoDigests: [], sizeBytes: 1, user: {} } : undefined,
    pullImage: async (image: string) => {
      most = Math.max(most, ++underWay);
      await clock.sleep(1_000);
      underWay--;
      return `sha256:${image}`;
    },
  } as unknown as Runtime;
  const puller = pullerOf(runtime, clock);
  const abort = new AbortController();
  const pull = (image: string, signal?: AbortSignal) =>
    puller.ensure({ image, policy: "Always", podUid: image, credentials: [], report: () => {}, signal }).then(
      () => "pulled",
      () => "given up",
    );
  const pulls = ["a", "b", "c", "d", "e", "f", "g"].map((image) => pull(image, image === "f" ? abort.signal : undefined));
  await clock.advance(500);
  abort.abort();
  await clock.advance(2_000);
  assert.deepEqual(await Promise.all(pulls), ["pulled", "pulled", "pulled", "pulled", "pulled", "given up", "pulled"]);
  assert.equal(most, 5);
});
