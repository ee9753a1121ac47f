// Names that are not the cluster's: asked of the machine's name servers, or of those that a domain has been given, and
// remembered for as long as the answer says.
import { encode, RECURSION_DESIRED } from "dns-packet";
import type { Clock, Logger, Random } from "../../base/index.ts";
import { randomInt } from "../../base/index.ts";
import type { Exchange } from "./transport.ts";
import { answerTo, type Lifetime, lifetimeOf, queryKey } from "./wire.ts";

export interface Upstreams {
  readonly servers: readonly string[];
  /** Servers of single domains, such as `example.org`, with all below them. */
  readonly stubDomains: ReadonlyMap<string, readonly string[]>;
}

export interface ForwarderOptions {
  readonly upstreams: Upstreams;
  readonly exchange: Exchange;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

type Protocol = "udp" | "tcp";

interface Kept extends Lifetime {
  readonly answer: Buffer;
  readonly sinceMs: number;
}

const UPSTREAM_TIMEOUT_MS = 2000;
/** A server that did not answer is asked last for so long. */
const DOWN_MS = 10_000;
/** No answer is kept longer than that, as CoreDNS does in a cluster. */
const LONGEST_KEPT_SECONDS = 30;
const MOST_KEPT = 10_000;
/** Below it are names by which we recognise our own questions. */
const PROBE_DOMAIN = "loop.k8ts.invalid";

export class Forwarder {
  readonly #options: ForwarderOptions;
  #upstreams: Upstreams;
  readonly #kept = new Map<string, Kept>();
  readonly #asked = new Map<string, Promise<Buffer | undefined>>();
  readonly #downUntil = new Map<string, number>();
  /** The names of our probes that are under way, with the server each was sent to. */
  readonly #probes = new Map<string, string>();
  readonly #looping = new Set<string>();

  constructor(options: ForwarderOptions) {
    this.#options = options;
    this.#upstreams = options.upstreams;
  }

  /** Asks others from now on. */
  set upstreams(upstreams: Upstreams) {
    this.#upstreams = upstreams;
    this.#kept.clear();
    this.#looping.clear();
  }

  /** The answer to a wire-format query for `name`, undefined when no server gives one. */
  async answer(query: Buffer, name: string, protocol: Protocol): Promise<Buffer | undefined> {
    const key = `${protocol} ${queryKey(query)}`;
    const kept = this.#kept.get(key);
    const now = this.#options.clock.monotonic();
    if (kept !== undefined) {
      const ageSeconds = Math.floor((now - kept.sinceMs) / 1000);
      if (ageSeconds < Math.min(kept.ttlSeconds, LONGEST_KEPT_SECONDS)) return answerTo(query, kept.answer, kept, ageSeconds);
      this.#kept.delete(key);
    }
    // The same question by many at once is one question.
    const asked = this.#asked.get(key) ?? this.#ask(query, name, protocol).finally(() => this.#asked.delete(key));
    this.#asked.set(key, asked);
    const answer = await asked;
    if (answer === undefined) return undefined;
    this.#keep(key, answer);
    return answerTo(query, answer, { ttlOffsets: [] }, 0);
  }

  /** Sends each server a question that only we would ask: a server that leads back to us brings it here. */
  async probe(): Promise<void> {
    const servers = new Set([...this.#upstreams.servers, ...[...this.#upstreams.stubDomains.values()].flat()]);
    await Promise.all([...servers].map((server) => this.#probe(server)));
  }

  /** Whether a question is one of our probes; the server that it was sent to is not asked any more. */
  recognise(name: string): boolean {
    if (!name.endsWith(PROBE_DOMAIN)) return false;
    const server = this.#probes.get(name);
    if (server !== undefined && !this.#looping.has(server)) {
      this.#looping.add(server);
      const message = `name server ${server} asks this DNS server again; it is left out: name another in the node's resolv.conf`;
      this.#options.logger.error(message, { server });
    }
    return true;
  }

  async #probe(server: string): Promise<void> {
    const { random, exchange } = this.#options;
    const name = `${randomInt(random, 0x7fffffff)}.${PROBE_DOMAIN}`;
    this.#probes.set(name, server);
    const query = encode({ type: "query", id: randomInt(random, 0x10000), flags: RECURSION_DESIRED, questions: [{ name, type: "A" }] });
    await exchange(server, query, { protocol: "udp", timeoutMs: UPSTREAM_TIMEOUT_MS }).catch(() => undefined);
    this.#probes.delete(name);
  }

  async #ask(query: Buffer, name: string, protocol: Protocol): Promise<Buffer | undefined> {
    const { exchange, clock, logger } = this.#options;
    for (const server of this.#serversFor(name)) {
      try {
        const answer = await exchange(server, query, { protocol, timeoutMs: UPSTREAM_TIMEOUT_MS });
        this.#downUntil.delete(server);
        return answer;
      } catch (error) {
        this.#downUntil.set(server, clock.monotonic() + DOWN_MS);
        logger.debug("name server failed", { server, error: String(error) });
      }
    }
    return undefined;
  }

  /** Those that answered last first. */
  #serversFor(name: string): string[] {
    const servers = stubServers(this.#upstreams.stubDomains, name) ?? this.#upstreams.servers;
    const now = this.#options.clock.monotonic();
    const isDown = (server: string) => (this.#downUntil.get(server) ?? 0) > now;
    const usable = servers.filter((server) => !this.#looping.has(server));
    return [...usable.filter((server) => !isDown(server)), ...usable.filter(isDown)];
  }

  #keep(key: string, answer: Buffer): void {
    const lifetime = lifetimeOf(answer);
    if (lifetime.ttlSeconds === 0) return;
    if (this.#kept.size >= MOST_KEPT) this.#kept.clear();
    this.#kept.set(key, { ...lifetime, answer, sinceMs: this.#options.clock.monotonic() });
  }
}

/** Those of the longest domain that the name is in. */
function stubServers(stubDomains: ReadonlyMap<string, readonly string[]>, name: string): readonly string[] | undefined {
  const labels = name.split(".");
  for (let start = 0; start < labels.length; start++) {
    const servers = stubDomains.get(labels.slice(start).join("."));
    if (servers !== undefined) return servers;
  }
  return undefined;
}
