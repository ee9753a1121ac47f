// Lets an operator run beside a writer while its server is restarted, and judges what it was told and what came of it.
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { CoreV1Api, KubeConfig } from "@kubernetes/client-node";
import { OwnServer } from "../../../bench/server.ts";
import type { Target } from "../../../bench/target.ts";
import { usageOf } from "../../../bench/usage.ts";
import { SeededRandom } from "../../../src/base/index.ts";
import { Changer } from "./changes.ts";
import { MirrorOperator, SOURCE } from "./mirror-operator.ts";
import { Witness } from "./witness.ts";

const NAMESPACE = "default";
const SETTLES_WITHIN_MS = 60_000;

export interface WatchOptions {
  readonly seconds: number;
  readonly changesPerSecond: number;
  readonly names: number;
  /** How often the server is restarted, by turns killed and asked to end, spread over the first third of the time. */
  readonly restarts: number;
  /** After this long the writer waits for the operator, and both must agree. */
  readonly roundSeconds: number;
}

/** What was counted when both agreed. */
export interface Agreement {
  readonly second: number;
  readonly changes: number;
  readonly notices: number;
  readonly lists: number;
  readonly reconnects: number;
  readonly serverMegabytes: number;
  readonly operatorMegabytes: number;
}

/** Calls `onAgreement` after each round; answers all that went wrong. */
export async function watchOperator(options: WatchOptions, onAgreement: (agreement: Agreement) => void): Promise<readonly string[]> {
  await using server = await OwnServer.start({});
  const config = kubeConfigOf(server.target);
  const api = config.makeApiClient(CoreV1Api);
  const changer = new Changer({ api, random: new SeededRandom(1), namespace: NAMESPACE, labels: SOURCE, names: options.names });
  const witness = new Witness();
  const operator = new MirrorOperator(config, NAMESPACE, witness);
  await operator.start();
  const startedAt = performance.now();
  const second = () => (performance.now() - startedAt) / 1000;
  const restarting = restartAtTimes(server, options, second);
  const violations: string[] = [];
  for (let round = 1; second() < options.seconds && violations.length === 0; round++) {
    while (second() < Math.min(round * options.roundSeconds, options.seconds)) {
      await changer.change();
      await sleep(1000 / options.changesPerSecond);
    }
    violations.push(...witness.violations, ...(await disagreements(changer, operator)));
    const { add, update, delete: deleted } = witness.counts;
    onAgreement({
      second: Math.round(second()),
      changes: changer.changes,
      notices: add + update + deleted,
      lists: witness.lists,
      reconnects: operator.reconnects,
      serverMegabytes: Math.round((usageOf(server.pid)?.rssBytes ?? 0) / 2 ** 20),
      operatorMegabytes: Math.round(process.memoryUsage().rss / 2 ** 20),
    });
  }
  await restarting;
  await operator.stop();
  return violations;
}

async function restartAtTimes(server: OwnServer, { seconds, restarts }: WatchOptions, second: () => number): Promise<void> {
  for (let i = 0; i < restarts; i++) {
    const at = (seconds / 3) * ((i + 0.5) / restarts);
    await sleep(Math.max(0, at - second()) * 1000);
    await server.stop(i % 2 === 0 ? "SIGKILL" : "SIGTERM");
    await server.startAgain();
  }
}

/** Waits until the operator sees what the writer wrote, and every mirror is right; answers what is still different then. */
async function disagreements({ expected }: Changer, operator: MirrorOperator): Promise<readonly string[]> {
  const endAt = performance.now() + SETTLES_WITHIN_MS;
  for (;;) {
    const { sources, mirrors } = operator.view();
    const areDifferent = { informer: !isDeepStrictEqual(sources, expected), mirrors: !isDeepStrictEqual(mirrors, expected) };
    if (!areDifferent.informer && !areDifferent.mirrors) return [];
    if (performance.now() > endAt) {
      const differences = [...expected].filter(([name, number]) => sources.get(name) !== number || mirrors.get(name) !== number);
      const left = [...sources.keys(), ...mirrors.keys()].filter((name) => !expected.has(name));
      return [`not the same after ${SETTLES_WITHIN_MS} ms: ${JSON.stringify({ ...areDifferent, differences, left })}`];
    }
    await sleep(50);
  }
}

function kubeConfigOf({ host, port, ca = "", cert = "", key = "" }: Target): KubeConfig {
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  const config = new KubeConfig();
  config.loadFromClusterAndUser(
    { name: "k8ts", server: `https://${host}:${port}`, caData: base64(ca), skipTLSVerify: false },
    { name: "admin", certData: base64(cert), keyData: base64(key) },
  );
  return config;
}
