// One of several equal processes leads: the one whose identity stands in a Lease that it keeps renewing.
import { resources } from "../api/index.ts";
import type { Lease, LeaseSpec } from "../api/types/coordination/v1.ts";
import { type Clock, formatMicroTime, type Logger, type Random } from "../base/index.ts";
import { type DeepReadonly, isNotFound } from "../machinery/index.ts";
import type { Client } from "./client.ts";

export interface LeaderElectionOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** The Lease's. */
  readonly namespace: string;
  readonly name: string;
  /** Unique among the candidates. */
  readonly identity: string;
  /** How long others wait after the last renewal that they saw. Default 15 s. */
  readonly leaseDurationMs?: number;
  /** How long a leader tries to renew before it stops leading; less than the lease's duration. Default 10 s. */
  readonly renewDeadlineMs?: number;
  /** Time between tries. Default 2 s. */
  readonly retryPeriodMs?: number;
}

/** Candidates wait up to so many times longer, so that they do not all try at once. */
const JITTER = 1.2;

/** @see client-go `tools/leaderelection/leaderelection.go` */
export class LeaderElection {
  readonly #options: LeaderElectionOptions;
  readonly #leaseDurationMs: number;
  readonly #renewDeadlineMs: number;
  readonly #retryPeriodMs: number;
  /** The lease as last seen, and when it was first seen so: others' clocks are not trusted. */
  #observed: { readonly lease: DeepReadonly<Lease>; readonly atMs: number } | undefined;

  constructor(options: LeaderElectionOptions) {
    this.#options = options;
    this.#leaseDurationMs = options.leaseDurationMs ?? 15_000;
    this.#renewDeadlineMs = options.renewDeadlineMs ?? 10_000;
    this.#retryPeriodMs = options.retryPeriodMs ?? 2_000;
  }

  /** Who leads as far as is known; "" for no one. */
  get leader(): string {
    return this.#observed?.lease.spec?.holderIdentity ?? "";
  }

  /**
   * Waits to lead, then calls `lead`, whose signal aborts when leadership is lost or `signal` aborts; a lost leader waits
   * again. Resolves when `signal` aborts or `lead` ends by itself; then the lease is given back. Rejects as `lead` does.
   */
  async run(signal: AbortSignal, lead: (leadingSignal: AbortSignal) => Promise<void>): Promise<void> {
    const { clock, random, logger, identity, name } = this.#options;
    while (!signal.aborted) {
      if (!(await this.#tryAcquireOrRenew(signal))) {
        await pause(clock, this.#retryPeriodMs * (1 + JITTER * random.next()), signal);
        continue;
      }
      logger.info("became the leader", { lease: name, identity });
      if (await this.#lead(signal, lead)) return;
      logger.warn("lost the leadership", { lease: name, identity });
    }
  }

  /** Answers whether the term ended as wished, not by losing the lease. */
  async #lead(signal: AbortSignal, lead: (leadingSignal: AbortSignal) => Promise<void>): Promise<boolean> {
    const lost = new AbortController();
    const ended = new AbortController();
    const leadingSignal = AbortSignal.any([signal, lost.signal]);
    const renewing = this.#renew(AbortSignal.any([leadingSignal, ended.signal]), lost);
    try {
      await lead(leadingSignal);
    } catch (error) {
      if (!leadingSignal.aborted) throw error;
    } finally {
      ended.abort();
      await renewing;
      if (!lost.signal.aborted) await this.#release();
    }
    return !lost.signal.aborted;
  }

  /** Renews until the signal aborts; aborts `lost` when no renewal has succeeded for `renewDeadlineMs`. */
  async #renew(signal: AbortSignal, lost: AbortController): Promise<void> {
    const { clock } = this.#options;
    const startDeadline = () => clock.setTimeout(() => lost.abort(), this.#renewDeadlineMs);
    let deadline = startDeadline();
    while (!signal.aborted) {
      await pause(clock, this.#retryPeriodMs, signal);
      if (signal.aborted || !(await this.#tryAcquireOrRenew(signal))) continue;
      deadline.cancel();
      deadline = startDeadline();
    }
    deadline.cancel();
  }

  /** Answers whether the lease is ours now. */
  async #tryAcquireOrRenew(signal: AbortSignal): Promise<boolean> {
    const { client, namespace, name, identity, logger } = this.#options;
    try {
      const lease = await this.#read(signal);
      if (lease === undefined) {
        const created = { metadata: { namespace, name }, spec: this.#spec(undefined) };
        this.#observe(await client.create(resources.leases, created, { signal }));
        return true;
      }
      const holder = lease.spec?.holderIdentity ?? "";
      if (holder !== "" && holder !== identity && this.#isStillValid()) return false;
      this.#observe(await client.update(resources.leases, { ...lease, spec: this.#spec(lease.spec) }, { signal }));
      return true;
    } catch (error) {
      if (!signal.aborted) logger.info("failed to acquire or renew the lease", { lease: name, identity, error });
      return false;
    }
  }

  async #read(signal: AbortSignal): Promise<DeepReadonly<Lease> | undefined> {
    const { client, namespace, name } = this.#options;
    try {
      const lease = await client.get(resources.leases, name, { namespace, signal });
      this.#observe(lease);
      return lease;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  #observe(lease: DeepReadonly<Lease>): void {
    const seen = this.#observed?.lease.spec;
    const isSame = seen?.renewTime === lease.spec?.renewTime && seen?.holderIdentity === lease.spec?.holderIdentity;
    const atMs = isSame && this.#observed !== undefined ? this.#observed.atMs : this.#options.clock.monotonic();
    this.#observed = { lease, atMs };
  }

  #isStillValid(): boolean {
    if (this.#observed === undefined) return false;
    return this.#observed.atMs + this.#leaseDurationMs > this.#options.clock.monotonic();
  }

  #spec(old: DeepReadonly<LeaseSpec> | undefined): LeaseSpec {
    const { clock, identity } = this.#options;
    const now = formatMicroTime(clock.now());
    const isRenewal = old?.holderIdentity === identity;
    return {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(this.#leaseDurationMs / 1000),
      acquireTime: isRenewal ? old.acquireTime : now,
      renewTime: now,
      leaseTransitions: (old?.leaseTransitions ?? 0) + (isRenewal || old === undefined ? 0 : 1),
    };
  }

  /** Lets the next candidate begin at once. */
  async #release(): Promise<void> {
    const { client, clock, identity, logger, name } = this.#options;
    const lease = this.#observed?.lease;
    if (lease?.spec?.holderIdentity !== identity) return;
    const now = formatMicroTime(clock.now());
    const spec = { ...lease.spec, holderIdentity: "", leaseDurationSeconds: 1, acquireTime: now, renewTime: now };
    try {
      this.#observe(await client.update(resources.leases, { ...lease, spec }));
    } catch (error) {
      logger.info("failed to release the lease", { lease: name, identity, error });
    }
  }
}

/** Sleeps, but not longer than the signal allows. */
async function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  try {
    await clock.sleep(delayMs, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
