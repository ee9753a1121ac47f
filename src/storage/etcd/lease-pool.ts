// Leases for keys that end by themselves. Keys of about the same end share one, so that a storm of events is no storm of leases.
import type { Clock } from "../../base/index.ts";

interface SharedLease {
  readonly id: Promise<string>;
  /** By the monotonic clock. */
  readonly usableUntilMs: number;
  users: number;
}

/** A lease is shared for this part of its time, and for a minute at most; keys live so much longer. */
const SHARED_PART = 0.05;
const LONGEST_SHARING_SECONDS = 60;
/** An end of very many keys at once would be felt. */
const MAX_USERS = 1_000;

export class LeasePool {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #grant: (ttlSeconds: number) => Promise<string>;
  /** By time to live. */
  readonly #leases = new Map<number, SharedLease>();

  constructor(clock: Pick<Clock, "monotonic">, grant: (ttlSeconds: number) => Promise<string>) {
    this.#clock = clock;
    this.#grant = grant;
  }

  /** The id of a lease that ends no sooner than in `ttlSeconds`. */
  leaseFor(ttlSeconds: number): Promise<string> {
    const nowMs = this.#clock.monotonic();
    const known = this.#leases.get(ttlSeconds);
    if (known !== undefined && nowMs <= known.usableUntilMs && known.users < MAX_USERS) {
      known.users++;
      return known.id;
    }
    const sharingSeconds = Math.min(LONGEST_SHARING_SECONDS, Math.floor(ttlSeconds * SHARED_PART));
    const id = this.#grant(ttlSeconds + sharingSeconds);
    const lease = { id, usableUntilMs: nowMs + sharingSeconds * 1000, users: 1 };
    this.#leases.set(ttlSeconds, lease);
    id.catch(() => {
      if (this.#leases.get(ttlSeconds) === lease) this.#leases.delete(ttlSeconds);
    });
    return id;
  }
}
