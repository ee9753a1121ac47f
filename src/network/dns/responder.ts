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
import { type Clock, type Random, randomInt } from "../../base/index.ts";
import type { ClusterZone, ZoneAnswer } from "./cluster-zone.ts";
import type { Forwarder } from "./forwarder.ts";
import { type EncodedAnswer, ZoneCache } from "./zone-cache.ts";

export interface ResponderOptions {
  readonly zone: ClusterZone;
  readonly forwarder: Forwarder;
  readonly clock: Clock;
  readonly random: Random;
}

/** Response codes of RFC 1035 and 6891; dns-packet takes the first 16 as the low bits of the flags. */
const RCODES = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const;
type Rcode = keyof typeof RCODES;
/** BADVERS is 16: its upper bits are in the OPT record. */
const BADVERS_EXTENSION = 1;

/** What a client without EDNS can take over UDP. */
const DEFAULT_UDP_BYTES = 512;
/** What we let others send us, and send at most: larger datagrams are lost in too many networks. */
const MAX_UDP_BYTES = 1232;

/** All bits are 0 in a standard query. */
const OPCODE_MASK = 0x7800;
const INTERNET = "IN";

type Protocol = "udp" | "tcp";

export class Responder {
  readonly #options: ResponderOptions;
  readonly #cache: Record<Protocol, ZoneCache> = { udp: new ZoneCache(), tcp: new ZoneCache() };

  constructor(options: ResponderOptions) {
    this.#options = options;
    options.zone.onChange(() => {
      this.#cache.udp.clear();
      this.#cache.tcp.clear();
    });
  }

  /** The answer's bytes, at once when it is known; undefined when the message deserves none. */
  respond(message: Buffer, protocol: Protocol): Buffer | undefined | Promise<Buffer | undefined> {
    if (this.#cache[protocol].has(message)) {
      return this.#cache[protocol].answer(message, (turn) => this.#encodeTurned(message, protocol, turn));
    }
    const query = decodeQuery(message);
    if (query === undefined) return undefined;
    const refusal = refusalOf(query);
    if (refusal !== undefined) return encode(refusal);
    const [question] = query.questions ?? [];
    if (question === undefined) return undefined;
    if (this.#options.forwarder.recognise(question.name.toLowerCase())) return encode(reply(query, "REFUSED"));
    const answer = this.#options.zone.resolve(question);
    if (answer === undefined) return this.#forward(query, message, protocol);
    // What an alias leads to may be another's to know, and is not ours to keep.
    if (answer.answers[0]?.type === "CNAME") return this.#followAlias(query, question, answer, protocol);
    return this.#cache[protocol].answer(message, (turn) => this.#authoritative(query, turned(answer, turn), protocol));
  }

  #encodeTurned(message: Buffer, protocol: Protocol, turn: number): EncodedAnswer {
    const query = decode(message);
    const [question] = query.questions ?? [];
    const answer = question === undefined ? undefined : this.#options.zone.resolve(question);
    if (answer === undefined) throw new Error("a kept answer is to a question that has none");
    return this.#authoritative(query, turned(answer, turn), protocol);
  }

  /** Stub resolvers do not follow aliases: what the name stands for goes into the same answer. */
  async #followAlias(query: Packet, question: Question, answer: ZoneAnswer, protocol: Protocol): Promise<Buffer> {
    const alias = answer.answers[0];
    if (alias?.type !== "CNAME" || question.type === "CNAME") return this.#authoritative(query, answer, protocol).bytes;
    const target: Question = { ...question, name: alias.data };
    const found = this.#options.zone.resolve(target)?.answers ?? (await this.#askUpstream(target));
    return this.#authoritative(query, { ...answer, answers: [...answer.answers, ...found] }, protocol).bytes;
  }

  /** The answers of the first name server that answers; none when none does. */
  async #askUpstream(question: Question): Promise<readonly Answer[]> {
    const id = randomInt(this.#options.random, 0x10000);
    const query = encode({ type: "query", id, flags: RECURSION_DESIRED, questions: [question] });
    const answer = await this.#options.forwarder.answer(query, question.name.toLowerCase(), "udp");
    return answer === undefined ? [] : (decode(answer).answers ?? []);
  }

  #authoritative(query: Packet, answer: ZoneAnswer, protocol: Protocol): EncodedAnswer {
    const base = reply(query, answer.rcode);
    const isEmpty = answer.answers.length === 0;
    const packet: Packet = {
      ...base,
      flags: (base.flags ?? 0) | AUTHORITATIVE_ANSWER,
      answers: [...answer.answers],
      additionals: [...answer.additionals, ...(base.additionals ?? [])],
      authorities: isEmpty ? [this.#options.zone.soa(Math.floor(this.#options.clock.now() / 1000))] : [],
    };
    const orders = answer.answers.length;
    const bytes = encode(packet);
    const limit = protocol === "tcp" ? Number.POSITIVE_INFINITY : udpLimit(query);
    if (bytes.length <= limit) return { bytes, orders: Math.max(1, orders) };
    return { bytes: truncated({ ...packet, additionals: base.additionals ?? [] }, limit), orders: Math.max(1, orders) };
  }

  async #forward(query: Packet, message: Buffer, protocol: Protocol): Promise<Buffer> {
    const name = query.questions?.[0]?.name.toLowerCase() ?? "";
    return (await this.#options.forwarder.answer(message, name, protocol)) ?? encode(reply(query, "SERVFAIL"));
  }
}

/** What there is to say to a question that we do not answer; undefined for those that we do. */
function refusalOf(query: Packet): Packet | undefined {
  if (((query.flags ?? 0) & OPCODE_MASK) !== 0) return reply(query, "NOTIMP");
  if (query.questions?.length !== 1) return reply(query, "FORMERR");
  const edns = ednsOf(query);
  if (edns !== undefined && edns.ednsVersion !== 0) return { ...reply(query, "NOERROR"), additionals: [opt(BADVERS_EXTENSION)] };
  return (query.questions[0]?.class ?? INTERNET) === INTERNET ? undefined : reply(query, "REFUSED");
}

/** Without the addresses beside the answers first, then with as many answers as there is room for. */
function truncated(packet: Packet, limit: number): Buffer {
  const bytes = encode(packet);
  if (bytes.length <= limit) return bytes;
  let answers = packet.answers ?? [];
  for (;;) {
    answers = answers.slice(0, Math.floor(answers.length / 2));
    const shorter = encode({ ...packet, flags: (packet.flags ?? 0) | TRUNCATED_RESPONSE, answers });
    if (shorter.length <= limit || answers.length === 0) return shorter;
  }
}

/** The same records with those of answers moved on by `turn` places. */
function turned(answer: ZoneAnswer, turn: number): ZoneAnswer {
  return turn === 0 ? answer : { ...answer, answers: [...answer.answers.slice(turn), ...answer.answers.slice(0, turn)] };
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

/** Clients that speak EDNS are answered in it. */
function reply(query: Packet, rcode: Rcode): Packet {
  const recursion = (query.flags ?? 0) & RECURSION_DESIRED;
  return {
    type: "response",
    ...(query.id === undefined ? {} : { id: query.id }),
    flags: RECURSION_AVAILABLE | recursion | RCODES[rcode],
    questions: query.questions ?? [],
    additionals: ednsOf(query) === undefined ? [] : [opt(0)],
  };
}

function opt(extendedRcode: number): Answer {
  return {
    type: "OPT",
    name: ".",
    udpPayloadSize: MAX_UDP_BYTES,
    extendedRcode,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  } as Answer;
}

function ednsOf(query: Packet) {
  const found = query.additionals?.find((record) => record.type === "OPT");
  return found !== undefined && "udpPayloadSize" in found ? found : undefined;
}

function udpLimit(query: Packet): number {
  return Math.min(Math.max(ednsOf(query)?.udpPayloadSize ?? DEFAULT_UDP_BYTES, DEFAULT_UDP_BYTES), MAX_UDP_BYTES);
}
