// Installs Debian packages that are missing, without starting the services that some of them bring.
import { chmodSync, existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import type { Ledger } from "../ledger/ledger.ts";
import { runCommand, tryCommand } from "../system/command.ts";

/** Debian's hook that forbids a package to start its service; 101 means forbidden. */
const POLICY = "/usr/sbin/policy-rc.d";
const APT_ENVIRONMENT = { DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C" };

export interface InstallOptions {
  readonly packages: readonly string[];
  readonly ledger: Ledger;
  readonly signal: AbortSignal;
}

export async function installPackages({ packages, ledger, signal }: InstallOptions): Promise<void> {
  if (packages.length === 0) return;
  const isPolicyOurs = !existsSync(POLICY);
  if (isPolicyOurs) {
    ledger.record({ type: "path", path: POLICY, isData: false });
    writeFileSync(POLICY, "#!/bin/sh\nexit 101\n");
    chmodSync(POLICY, 0o755);
  }
  try {
    await install(packages, signal);
    if (packages.includes("containerd") && existsSync("/run/systemd/system"))
      await tryCommand(["systemctl", "disable", "--now", "containerd"]);
  } finally {
    if (isPolicyOurs) rmSync(POLICY, { force: true });
  }
}

/** The package lists are fetched only when there are none, or what they say is out of date. */
async function install(packages: readonly string[], signal: AbortSignal): Promise<void> {
  const command = ["apt-get", "install", "-y", "-q", "--no-install-recommends", ...packages];
  if (hasPackageLists()) {
    const first = await tryCommand(command, { env: APT_ENVIRONMENT, signal });
    if (first.code === 0) return;
  }
  await runCommand(["apt-get", "update", "-q"], { env: APT_ENVIRONMENT, signal });
  await runCommand(command, { env: APT_ENVIRONMENT, signal });
}

function hasPackageLists(): boolean {
  try {
    return readdirSync("/var/lib/apt/lists").some((name) => name.endsWith("_Packages") || name.endsWith("_Packages.lz4"));
  } catch {
    return false;
  }
}
