import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../../base/index.ts";
import { MemoryFiles, type NodeFiles } from "../files.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { PullCredential } from "./credentials.ts";
import { type ImageError, ImagePuller } from "./image-puller.ts";
import { DEFAULT_VERIFICATION, PullRecords, type PullVerification } from "./pull-records.ts";

const IMAGE = "reg.example.com/team/app:1";
const ID = "sha256:app";

function recordsOver(files: NodeFiles, verification: PullVerification = DEFAULT_VERIFICATION, clock = new VirtualClock()): PullRecords {
  return new PullRecords({ files, directory: "/image_manager", verification, clock });
}

function credential(name: string, password: string): PullCredential {
  const auth = { serverAddress: "reg.example.com", username: "robot", password };
  return { auth, secret: { uid: `uid-${name}`, namespace: "default", name }, hash: password };
}

async function pulledWith(records: PullRecords, by: PullCredential | undefined): Promise<void> {
  await records.begin(IMAGE);
  await records.end(IMAGE, { id: ID, credential: by });
}

test("an image that was pulled with a secret is only for pods that have the secret, or its words", async () => {
  const files = new MemoryFiles();
  const records = recordsOver(files);
  await pulledWith(records, credential("pull", "right"));
  assert.equal(await records.mustPull(IMAGE, ID, []), true, "no secret");
  assert.equal(await records.mustPull(IMAGE, ID, [credential("other", "wrong")]), true, "another secret");
  assert.equal(await records.mustPull(IMAGE, ID, [credential("copy", "right")]), false, "the same words");
  assert.equal(await records.mustPull(IMAGE, ID, [credential("pull", "renewed")]), false, "the same secret");
  assert.equal(await records.mustPull("mirror.example.com/team/app:1", ID, [credential("pull", "right")]), true, "another registry");
  assert.equal(await recordsOver(files).mustPull(IMAGE, ID, []), true, "the next agent knows it too");
});

test("an image that came without a pod's secret is for every pod, and so is one that nobody pulled", async () => {
  const records = recordsOver(new MemoryFiles());
  assert.equal(await records.mustPull(IMAGE, ID, []), false, "preloaded");
  await pulledWith(records, credential("pull", "right"));
  const { auth, hash } = credential("node", "its own");
  await pulledWith(records, { auth, hash });
  assert.equal(await records.mustPull(IMAGE, ID, []), false, "pulled by the node itself");
});

test("an image whose pull was under way when the agent ended is not taken for preloaded", async () => {
  const files = new MemoryFiles();
  await recordsOver(files).begin(IMAGE);
  const next = recordsOver(files);
  assert.equal(await next.mustPull(IMAGE, ID, []), true);
  await next.end(IMAGE);
  assert.equal(await next.mustPull(IMAGE, ID, []), false);
});

test("the other policies trust nobody, everybody, or a list of preloaded images", async () => {
  const verdict = async (policy: PullVerification["policy"], allowlist: readonly string[] = []) => {
    const records = recordsOver(new MemoryFiles(), { policy, allowlist });
    return await records.mustPull(IMAGE, ID, []);
  };
  assert.equal(await verdict("AlwaysVerify"), true);
  assert.equal(await verdict("NeverVerifyAllowlistedImages", ["reg.example.com/team/*"]), false);
  assert.equal(await verdict("NeverVerifyAllowlistedImages", ["reg.example.com/teams/*", "reg.example.com/team"]), true);
  const never = recordsOver(new MemoryFiles(), { policy: "NeverVerify", allowlist: [] });
  await pulledWith(never, credential("pull", "right"));
  assert.equal(await never.mustPull(IMAGE, ID, []), false);
});

test("records of images that are gone are forgotten, but not those that came since the images were listed", async () => {
  const clock = new VirtualClock();
  const records = recordsOver(new MemoryFiles(), DEFAULT_VERIFICATION, clock);
  await pulledWith(records, credential("pull", "right"));
  await records.prune([], clock.now());
  assert.equal(await records.mustPull(IMAGE, ID, []), true, "it has only just come");
  await clock.advance(5_000);
  await records.prune([ID], clock.now());
  assert.equal(await records.mustPull(IMAGE, ID, []), true, "it is still there");
  await records.prune([], clock.now());
  assert.equal(await records.mustPull(IMAGE, ID, []), false);
});

test("a pod without the secret has to ask the registry, which refuses; with pull policy Never it does not get the image", async () => {
  const asked: (string | undefined)[] = [];
  const runtime = {
    imageStatus: async () => ({ id: ID, repoTags: [], repoDigests: [], sizeBytes: 1, user: {} }),
    pullImage: async (_image: string, auth?: { readonly password?: string }) => {
      asked.push(auth?.password);
      if (auth?.password !== "right") throw new Error("401 Unauthorized");
      return ID;
    },
  } as unknown as Runtime;
  const clock = new VirtualClock();
  const puller = new ImagePuller({ runtime, clock, records: recordsOver(new MemoryFiles(), DEFAULT_VERIFICATION, clock) });
  const ensure = (podUid: string, policy: string, credentials: readonly PullCredential[]) =>
    puller.ensure({ image: IMAGE, policy, podUid, credentials, report: () => {} }).then(
      () => "has it",
      (error: ImageError) => error.reason,
    );
  assert.equal(await ensure("owner", "Always", [credential("pull", "right")]), "has it");
  assert.equal(await ensure("stranger", "IfNotPresent", []), "ErrImagePull");
  assert.equal(await ensure("stranger", "Never", []), "ErrImageNeverPull");
  assert.equal(await ensure("friend", "Never", [credential("pull", "right")]), "has it");
  assert.deepEqual(asked, ["right", undefined]);
});
