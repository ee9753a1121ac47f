// Real etcd members for tests, on loopback, with their data in a temporary folder.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Clock, silentLogger, sleepWith } from "../../base/index.ts";
import { EtcdStore } from "./etcd-store.ts";

export const hasEtcd = existsSync("/usr/bin/etcd");

/** Real time: etcd's leases and elections know no other. */
export const realClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout: (fire, delayMs) => {
    const timer = setTimeout(fire, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
  sleep: (delayMs, signal) => sleepWith(realClock, delayMs, signal),
};

interface Member {
  readonly name: string;
  readonly clientPort: number;
  readonly peerPort: number;
  process: ChildProcess | undefined;
}

export class EtcdCluster implements AsyncDisposable {
  readonly #directory = mkdtempSync(join(tmpdir(), "k8ts-etcd-"));
  readonly #members: Member[];
  #prefixes = 0;

  private constructor(members: Member[]) {
    this.#members = members;
  }

  static async start(size = 1): Promise<EtcdCluster> {
    const ports = await freePorts(size * 2);
    const members = Array.from({ length: size }, (_, index): Member => {
      return { name: `m${index}`, clientPort: ports[index * 2] ?? 0, peerPort: ports[index * 2 + 1] ?? 0, process: undefined };
    });
    const cluster = new EtcdCluster(members);
    for (const index of members.keys()) cluster.startMember(index);
    await cluster.healthy();
    return cluster;
  }

  get endpoints(): string[] {
    return this.#members.map(({ clientPort }) => `127.0.0.1:${clientPort}`);
  }

  startMember(index: number): void {
    const member = this.#members[index];
    if (member === undefined) throw new RangeError(`there is no member ${index}`);
    const { name, clientPort, peerPort } = member;
    const clientUrl = `http://127.0.0.1:${clientPort}`;
    const peers = this.#members.map((each) => `${each.name}=http://127.0.0.1:${each.peerPort}`).join(",");
    const args = ["--name", name, "--data-dir", join(this.#directory, name), "--log-level", "fatal"];
    const urls = ["--listen-client-urls", clientUrl, "--advertise-client-urls", clientUrl];
    const peer = ["--listen-peer-urls", `http://127.0.0.1:${peerPort}`, "--initial-advertise-peer-urls", `http://127.0.0.1:${peerPort}`];
    const timing = ["--heartbeat-interval", "100", "--election-timeout", "1000"];
    member.process = spawn("/usr/bin/etcd", [...args, ...urls, ...peer, ...timing, "--initial-cluster", peers], { stdio: "ignore" });
  }

  async killMember(index: number): Promise<void> {
    const process = this.#members[index]?.process;
    if (process === undefined) return;
    process.kill("SIGKILL");
    await once(process, "exit");
  }

  /** A store in a part of the cluster of its own, or in the part that `prefix` names. */
  open(prefix = `/test-${this.#prefixes++}`): Promise<EtcdStore> {
    return EtcdStore.open({ endpoints: this.endpoints, prefix, clock: realClock, logger: silentLogger });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const index of this.#members.keys()) await this.killMember(index).catch(() => {});
    rmSync(this.#directory, { recursive: true, force: true });
  }

  /** Waits until every member says that it is well. */
  async healthy(): Promise<void> {
    for (const { clientPort } of this.#members) {
      for (let tried = 0; ; tried++) {
        const isHealthy = await fetch(`http://127.0.0.1:${clientPort}/health`).then(
          async (answer) => ((await answer.json()) as { health: string }).health === "true",
          () => false,
        );
        if (isHealthy) break;
        if (tried === 300) throw new Error("etcd does not become healthy");
        await sleep(50);
      }
    }
  }
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, "127.0.0.1");
      await once(server, "listening");
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
