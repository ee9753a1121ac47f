// The version that the server and the command line report: the Kubernetes version that is implemented, and ours.
import { readFileSync } from "node:fs";
import type { VersionInfo } from "../apiserver/index.ts";

export const KUBERNETES_VERSION = "1.36.0";

function packageVersion(): string {
  const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { readonly version: string };
  return manifest.version;
}

/** What `/version` answers. */
export function versionInfo(): VersionInfo {
  const [major = "", minor = ""] = KUBERNETES_VERSION.split(".");
  return {
    major,
    minor,
    gitVersion: `v${KUBERNETES_VERSION}+k8ts-${packageVersion()}`,
    gitCommit: "",
    gitTreeState: "clean",
    buildDate: "1970-01-01T00:00:00Z",
    goVersion: `node-${process.version}`,
    compiler: "v8",
    platform: `linux/${process.arch === "x64" ? "amd64" : process.arch}`,
  };
}
