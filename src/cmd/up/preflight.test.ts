import assert from "node:assert/strict";
import { test } from "node:test";
import { type HostFacts, judge, packagesFor } from "./preflight.ts";

const GOOD: HostFacts = {
  platform: "linux",
  isRoot: true,
  controllers: new Set(["cpu", "memory", "pids", "cpuset"]),
  cgroupVersion: 2,
  fileSystems: new Set(["overlay"]),
  isPortFree: true,
  freeBytes: 2 ** 34,
  capabilities: 0x1ffffffffffn,
  isDataForeign: false,
  missingCommands: [],
  canInstall: true,
  hasSystemdResolved: false,
};

const messages = (change: Partial<HostFacts>) =>
  judge({ ...GOOD, ...change }, { port: 6443, dataDirectory: "/data" }).map(({ severity, message }) => `${severity}: ${message}`);

test("a machine that has everything passes", () => {
  assert.deepEqual(messages({}), []);
});

test("each obstacle is one sentence that says what to do", () => {
  assert.match(messages({ platform: "darwin" }).join(), /^error: containers need Linux/);
  assert.match(messages({ isRoot: false }).join(), /sudo$/);
  assert.match(messages({ controllers: new Set(["cpu", "memory", "cpuset"]) }).join(), /controllers pids are missing/);
  assert.match(messages({ fileSystems: new Set() }).join(), /modprobe overlay/);
  assert.match(messages({ isPortFree: false }).join(), /port 6443 is taken.*--port/);
  assert.match(messages({ isDataForeign: true }).join(), /\/data holds something else.*--data-dir/);
  assert.match(messages({ freeBytes: 2 ** 20 * 5 }).join(), /has 5 MiB free/);
});

test("missing programs stop only where they cannot be installed", () => {
  const missing = { missingCommands: ["runc", "/usr/lib/cni/ptp"] };
  assert.deepEqual(messages(missing), []);
  assert.match(messages({ ...missing, canInstall: false }).join(), /install runc containernetworking-plugins$/);
  assert.deepEqual(packagesFor(missing), ["runc", "containernetworking-plugins"]);
});

test("a root without CAP_SYS_RESOURCE is warned, not refused", () => {
  assert.match(messages({ capabilities: GOOD.capabilities & ~(1n << 24n) }).join(), /^warning: .*CAP_SYS_RESOURCE/);
});
