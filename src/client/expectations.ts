// What a controller has asked for and its informer has not shown yet. While something is expected the informer's copy is
// stale, and acting on it would create or delete too much.
import type { Clock } from "../base/index.ts";

interface Expectation {
  /** Creations not yet seen; below zero when more came than were asked for. */
  creations: number;
  /** Identities (uid, or namespace/name) of objects whose deletion is not yet seen. */
  readonly deletions: Set<string>;
  readonly sinceMs: number;
}

/** An expectation that nothing fulfils in this time is given up: level-triggered work goes on with what is seen. */
const EXPIRES_AFTER_MS = 5 * 60 * 1000;

/** @see kubernetes `pkg/controller/controller_utils.go`, UIDTrackingControllerExpectations */
export class ControllerExpectations {
  readonly #byController = new Map<string, Expectation>();
  readonly #clock: Pick<Clock, "monotonic">;

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  /** Replaces what was expected for `controllerKey`. Call it before the first request is made. */
  expect(controllerKey: string, expected: { readonly creations?: number; readonly deletions?: Iterable<string> }): void {
    this.#byController.set(controllerKey, {
      creations: expected.creations ?? 0,
      deletions: new Set(expected.deletions),
      sinceMs: this.#clock.monotonic(),
    });
  }

  /** `count` creations were seen, or will never be (the request failed). Answers whether nothing else was waited for. */
  creationObserved(controllerKey: string, count = 1): boolean {
    const expectation = this.#byController.get(controllerKey);
    if (expectation === undefined) return false;
    const wasFulfilled = isFulfilled(expectation);
    expectation.creations -= count;
    return !wasFulfilled && isFulfilled(expectation);
  }

  /** The deletion of `identity` was seen, or will never be (the request failed). Answers whether nothing else was waited for. */
  deletionObserved(controllerKey: string, identity: string): boolean {
    const expectation = this.#byController.get(controllerKey);
    return expectation?.deletions.delete(identity) === true && isFulfilled(expectation);
  }

  /** Whether the informer's copy can be trusted for `controllerKey`. */
  isSatisfied(controllerKey: string): boolean {
    const expectation = this.#byController.get(controllerKey);
    if (expectation === undefined) return true;
    if (isFulfilled(expectation)) return true;
    return this.#clock.monotonic() - expectation.sinceMs > EXPIRES_AFTER_MS;
  }

  /** Forgets a controller that is gone. */
  forget(controllerKey: string): void {
    this.#byController.delete(controllerKey);
  }
}

function isFulfilled({ creations, deletions }: Expectation): boolean {
  return creations <= 0 && deletions.size === 0;
}
