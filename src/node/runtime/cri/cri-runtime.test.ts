import { describe, it } from "node:test";
import { runtimeSuite } from "../runtime.suite.ts";
import { containerdMissing, hostClock, startContainerd } from "./containerd.fixture.ts";

const missing = containerdMissing();
if (missing === false) {
  runtimeSuite("CriRuntime", async () => {
    const containerd = await startContainerd();
    return {
      runtime: containerd.runtime,
      image: containerd.image,
      logDirectory: `${containerd.directory}/logs`,
      cgroupParent: containerd.cgroupParent,
      pass: (durationMs) => hostClock.sleep(durationMs),
      dispose: async () => containerd[Symbol.asyncDispose](),
    };
  });
} else {
  describe("CriRuntime as a Runtime", () => it("keeps the contract", { skip: missing }, () => {}));
}
