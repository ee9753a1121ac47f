// DNS messages as bytes, as far as they are looked at without decoding them. @see RFC 1035, section 4

/** Offset of the first byte after the name that starts at `offset`. @throws RangeError when the message ends in it */
function skipName(message: Buffer, offset: number): number {
  for (let at = offset; ; ) {
    const length = message.readUInt8(at);
    if (length >= 0xc0) return at + 2;
    if (length === 0) return at + 1;
    at += length + 1;
  }
}

const HEADER_BYTES = 12;
const TYPE_OPT = 41;
const TYPE_SOA = 6;

interface RecordPlace {
  readonly type: number;
  readonly ttlAt: number;
  readonly dataAt: number;
  readonly dataEnd: number;
  readonly isAnswer: boolean;
}

/** Where the records of a message are, in order. @throws RangeError when the message is cut off */
function recordsOf(message: Buffer): RecordPlace[] {
  let at = HEADER_BYTES;
  for (let count = message.readUInt16BE(4); count > 0; count--) at = skipName(message, at) + 4;
  const answers = message.readUInt16BE(6);
  const total = answers + message.readUInt16BE(8) + message.readUInt16BE(10);
  const places: RecordPlace[] = [];
  for (let index = 0; index < total; index++) {
    const typeAt = skipName(message, at);
    const dataAt = typeAt + 10;
    const dataEnd = dataAt + message.readUInt16BE(typeAt + 8);
    if (dataEnd > message.length) throw new RangeError("a record is cut off");
    places.push({ type: message.readUInt16BE(typeAt), ttlAt: typeAt + 4, dataAt, dataEnd, isAnswer: index < answers });
    at = dataEnd;
  }
  return places;
}

export interface Lifetime {
  /** How long the message may be kept; 0 when not at all. */
  readonly ttlSeconds: number;
  /** Where its records' times to live are, which go down while it is kept. */
  readonly ttlOffsets: readonly number[];
}

const NOT_KEPT: Lifetime = { ttlSeconds: 0, ttlOffsets: [] };

/** How long a name server's answer holds. A "no" holds as long as its SOA record says. @see RFC 2308 */
export function lifetimeOf(message: Buffer): Lifetime {
  try {
    const rcode = message.readUInt8(3) & 0x0f;
    const isTruncated = (message.readUInt8(2) & 0x02) !== 0;
    if (isTruncated || (rcode !== 0 && rcode !== 3)) return NOT_KEPT;
    const records = recordsOf(message).filter(({ type }) => type !== TYPE_OPT);
    const isNo = !records.some(({ isAnswer }) => isAnswer);
    const soa = records.find(({ type }) => type === TYPE_SOA);
    if (isNo && soa === undefined) return NOT_KEPT;
    const ttls = records.map(({ ttlAt }) => message.readUInt32BE(ttlAt));
    if (isNo && soa !== undefined) ttls.push(message.readUInt32BE(soa.dataEnd - 4));
    return { ttlSeconds: Math.min(...ttls), ttlOffsets: records.map(({ ttlAt }) => ttlAt) };
  } catch (error) {
    if (error instanceof RangeError) return NOT_KEPT;
    throw error;
  }
}

/** A copy with the id of `query`, and with all times to live less by `ageSeconds`. */
export function answerTo(query: Buffer, answer: Buffer, { ttlOffsets }: Pick<Lifetime, "ttlOffsets">, ageSeconds: number): Buffer {
  const copy = Buffer.from(answer);
  query.copy(copy, 0, 0, 2);
  for (const offset of ttlOffsets) copy.writeUInt32BE(Math.max(0, copy.readUInt32BE(offset) - ageSeconds), offset);
  return copy;
}

/** All of a query but its id: equal for queries that the same answer suits. */
export function queryKey(query: Buffer): string {
  return query.toString("latin1", 2);
}
