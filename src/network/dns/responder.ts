// One DNS message in, one out: from the cluster's zone, or from the servers that it is forwarded to.
import {
  type Answer,
  AUTHORITATIVE_ANSWER,
  decode,
  encode,
  type Packet,
  type Question,
  RECURSION_AVAILABLE,
  RECURSION_DESIRED,
  TRUNCATED_RESPONSE,
} from "dns-packet";
import { type Clock, type Logger, type Random, randomInt } from "../../base/index.ts";
import type { ClusterZone, ZoneAnswer } from "./cluster-zone.ts";
import type { Exchange } from "./transport.ts";

export interface ResponderOptions {
  readonly zone: ClusterZone;
  readonly upstreams: readonly string[];
  readonly exchange: Exchange;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Response codes of RFC 1035; dns-packet takes them as the low bits of the flags. */
const RCODES = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4 } as const;

/** What a client without EDNS can take over UDP. */
const DEFAULT_UDP_BYTES = 512;
const MAX_UDP_BYTES = 4096;
const UPSTREAM_TIMEOUT_MS = 2000;

export class Responder {
  readonly #options: ResponderOptions;

  constructor(options: ResponderOptions) {
    this.#options = options;
  }

  /** The answer's bytes; undefined when the message deserves none. */
  async respond(message: Buffer, protocol: "udp" | "tcp"): Promise<Buffer | undefined> {
    const query = decodeQuery(message);
    if (query === undefined) return undefined;
    const question = query.questions?.[0];
    if (question === undefined) return encode({ ...reply(query), flags: RCODES.FORMERR });
    const answer = this.#options.zone.resolve(question);
    if (answer === undefined) return this.#forward(query, message, protocol);
    return this.#authoritative(query, question, await this.#followAlias(question, answer), protocol);
  }

  /** Stub resolvers do not follow aliases: what the name stands for goes into the same answer. */
  async #followAlias(question: Question, answer: ZoneAnswer): Promise<ZoneAnswer> {
    const alias = answer.answers[0];
    if (alias?.type !== "CNAME" || question.type === "CNAME") return answer;
    const target: Question = { ...question, name: alias.data };
    const found = this.#options.zone.resolve(target)?.answers ?? (await this.#askUpstream(target));
    return { ...answer, answers: [...answer.answers, ...found] };
  }

  /** The answers of the first name server that answers; none when none does. */
  async #askUpstream(question: Question): Promise<readonly Answer[]> {
    const id = randomInt(this.#options.random, 0x10000);
    const reply = await this.#exchange(encode({ type: "query", id, flags: RECURSION_DESIRED, questions: [question] }), "udp");
    return reply === undefined ? [] : (decode(reply).answers ?? []);
  }

  #authoritative(query: Packet, question: Question, answer: ZoneAnswer, protocol: "udp" | "tcp"): Buffer {
    const isEmpty = answer.answers.length === 0;
    const packet: Packet = {
      ...reply(query),
      flags: AUTHORITATIVE_ANSWER | RECURSION_AVAILABLE | recursionDesired(query) | RCODES[answer.rcode],
      questions: [question],
      answers: [...answer.answers],
      additionals: [...answer.additionals],
      authorities: isEmpty ? [this.#options.zone.soa(Math.floor(this.#options.clock.now() / 1000))] : [],
    };
    const bytes = encode(packet);
    if (protocol === "tcp" || bytes.length <= udpLimit(query)) return bytes;
    return encode({ ...packet, flags: (packet.flags ?? 0) | TRUNCATED_RESPONSE, answers: [], additionals: [], authorities: [] });
  }

  async #forward(query: Packet, message: Buffer, protocol: "udp" | "tcp"): Promise<Buffer> {
    const answer = await this.#exchange(message, protocol);
    if (answer !== undefined) return answer;
    return encode({
      ...reply(query),
      flags: RECURSION_AVAILABLE | recursionDesired(query) | RCODES.SERVFAIL,
      questions: query.questions ?? [],
    });
  }

  async #exchange(message: Buffer, protocol: "udp" | "tcp"): Promise<Buffer | undefined> {
    for (const server of this.#options.upstreams) {
      try {
        return await this.#options.exchange(server, message, { protocol, timeoutMs: UPSTREAM_TIMEOUT_MS });
      } catch (error) {
        this.#options.logger.debug("name server failed", { server, error: String(error) });
      }
    }
    return undefined;
  }
}

function decodeQuery(message: Buffer): Packet | undefined {
  try {
    const packet = decode(message);
    return packet.type === "query" ? packet : undefined;
  } catch {
    // Not DNS: whoever sent it gets no answer to reflect.
    return undefined;
  }
}

function reply(query: Packet): Packet {
  return query.id === undefined ? { type: "response" } : { type: "response", id: query.id };
}

function recursionDesired(query: Packet): number {
  return (query.flags ?? 0) & RECURSION_DESIRED;
}

function udpLimit(query: Packet): number {
  const edns = query.additionals?.find((record) => record.type === "OPT");
  const size = edns !== undefined && "udpPayloadSize" in edns ? edns.udpPayloadSize : DEFAULT_UDP_BYTES;
  return Math.min(Math.max(size, DEFAULT_UDP_BYTES), MAX_UDP_BYTES);
}
