// `main.ts [file …]`: brings one cluster up and runs the test files of this folder on it, some at a time, each in a namespace of its own.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { globSync } from "node:fs";
import { join } from "node:path";
import { Cluster, SHARED_DIRECTORY } from "../cluster.fixture.ts";

/** Most tests wait most of the time. */
const CONCURRENCY = 3;
const TEST_TIMEOUT_MS = 300_000;

const named = process.argv.slice(2);
const files = named.length > 0 ? named : globSync(join(import.meta.dirname, "*.test.ts")).sort();
await using cluster = await Cluster.upToShare();
const args = ["--disable-warning=ExperimentalWarning", "--test", `--test-concurrency=${CONCURRENCY}`, `--test-timeout=${TEST_TIMEOUT_MS}`];
const tests = spawn(process.execPath, [...args, ...files], {
  stdio: "inherit",
  env: { ...process.env, [SHARED_DIRECTORY]: cluster.directory },
});
const [code] = (await once(tests, "exit")) as [number | null];
process.exitCode = code ?? 1;
