// Calls to an etcd cluster: each is tried again at another member while members cannot be reached, up to a limit.
import { noop } from "cockatiel";
import { Etcd3, type IOptions, isRecoverableError } from "etcd3";
import type { Clock } from "../../base/index.ts";
import { StoreClosedError, StoreFullError, StoreUnavailableError } from "../errors.ts";

export interface EtcdClientOptions {
  /** `host:port` each. */
  readonly endpoints: readonly string[];
  /** PEM; absent: connections in clear. */
  readonly tls?: { readonly ca: Buffer; readonly cert?: Buffer | undefined; readonly key?: Buffer | undefined } | undefined;
  readonly clock: Clock;
}

/** What a call that was tried several times came to. */
export interface Answer<T> {
  readonly value: T;
  /** Whether an earlier try may have been carried out without an answer. */
  readonly isRepeated: boolean;
}

/** How long a call may take, all its tries together: a new leader is elected within a few seconds. */
const CALL_LIMIT_MS = 10_000;
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 500;
/** gRPC's own limit is 4 MiB; a page of large objects is more. */
const MAX_MESSAGE_BYTES = 256 * 2 ** 20;

export class EtcdClient {
  readonly #etcd: Etcd3;
  readonly #clock: Clock;
  #isClosed = false;

  constructor({ endpoints, tls, clock }: EtcdClientOptions) {
    this.#clock = clock;
    const scheme = tls === undefined ? "http" : "https";
    const credentials = tls && {
      rootCertificate: tls.ca,
      ...(tls.cert === undefined || tls.key === undefined ? {} : { certChain: tls.cert, privateKey: tls.key }),
    };
    const options: IOptions = {
      hosts: endpoints.map((endpoint) => `${scheme}://${endpoint}`),
      // Tries are counted here: a write that is tried again needs another look at what it finds.
      faultHandling: { global: noop, host: () => noop },
      grpcOptions: { "grpc.max_receive_message_length": MAX_MESSAGE_BYTES, "grpc.max_send_message_length": MAX_MESSAGE_BYTES },
      ...(credentials === undefined ? {} : { credentials }),
    };
    this.#etcd = new Etcd3(options);
  }

  /** Rejects with StoreUnavailableError when no member answers in time, StoreFullError when etcd has no space. */
  async call<T>(send: (etcd: Etcd3) => Promise<T>): Promise<Answer<T>> {
    const deadlineMs = this.#clock.monotonic() + CALL_LIMIT_MS;
    let pauseMs = FIRST_PAUSE_MS;
    for (let isRepeated = false; ; isRepeated = true) {
      if (this.#isClosed) throw new StoreClosedError();
      try {
        return { value: await this.#inTime(send(this.#etcd), deadlineMs), isRepeated };
      } catch (error) {
        this.#judge(error, deadlineMs - this.#clock.monotonic() > pauseMs);
      }
      await this.#clock.sleep(pauseMs);
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    }
  }

  /** Returns when the call is to be tried again. */
  #judge(error: unknown, isTimeLeft: boolean): void {
    if (this.#isClosed) throw new StoreClosedError();
    if (!(error instanceof Error)) throw error;
    if (/mvcc: database space exceeded/.test(error.message)) throw new StoreFullError(error);
    const isPassing =
      isRecoverableError(error) ||
      /etcdserver: (leader changed|no leader|request timed out|too many requests|server stopped)/.test(error.message);
    if (!isPassing) throw error;
    if (!isTimeLeft) throw new StoreUnavailableError(error);
  }

  #inTime<T>(answer: Promise<T>, deadlineMs: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const limitMs = deadlineMs - this.#clock.monotonic();
      const timer = this.#clock.setTimeout(() => reject(new StoreUnavailableError(new Error(`no answer within ${limitMs} ms`))), limitMs);
      answer.then(resolve, reject).finally(() => timer.cancel());
    });
  }

  /** Lets go of the connections; calls under way reject with StoreClosedError. */
  close(): void {
    this.#isClosed = true;
    this.#etcd.close();
  }
}
