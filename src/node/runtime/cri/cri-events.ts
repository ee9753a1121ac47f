// Tells that something happened to a pod: by containerd's own event service, else by the CRI's event stream, else by
// comparing lists.
import { type Clock, type Logger, sleepWith } from "../../../base/index.ts";
import { EventFan } from "../event-fan.ts";
import { LABELS, type RuntimeEvent, type RuntimePod } from "../runtime.ts";
import type { PodLister, RuntimeCall } from "./pod-lister.ts";
import { isUnimplemented, loadProtocol, type Method, type Rpc } from "./rpc.ts";
import type { WireContainer, WireSandbox, WireSandboxStatus } from "./wire.ts";

export interface CriEventsOptions {
  readonly rpc: Rpc;
  readonly call: RuntimeCall;
  readonly lister: PodLister;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The CRI's GetContainerEvents. */
  readonly criMethod: Method;
}

/** How often lists are compared where the runtime has no events: kubelet's period. */
const RELIST_PERIOD_MS = 1_000;
/**
 * containerd tells of an exit before its CRI knows of it, under load seconds before: when we look first and how seldom at
 * last. The agent's own comparison takes over after that.
 */
const FIRST_EXIT_LOOK_MS = 5;
const MAX_EXIT_LOOK_MS = 500;
const EXIT_WAIT_MS = 60_000;

interface Envelope {
  readonly topic: string;
  readonly event: { readonly value: Uint8Array } | null;
}

export class CriEvents {
  readonly #options: CriEventsOptions;

  constructor(options: CriEventsOptions) {
    this.#options = options;
  }

  /** Ends when the signal aborts; throws when the connection is lost. */
  async *events(signal: AbortSignal): AsyncIterable<RuntimeEvent> {
    for (const source of [this.#fromContainerd, this.#fromCri]) {
      try {
        yield* source.call(this, signal);
        return;
      } catch (error) {
        if (!isUnimplemented(error)) throw error;
      }
    }
    this.#options.logger.info("the runtime has no events; comparing lists instead");
    yield* this.#fromLists(signal);
  }

  async *#fromContainerd(signal: AbortSignal): AsyncIterable<RuntimeEvent> {
    const ended = new AbortController();
    const fan = new EventFan();
    const events = fan.listen(ended.signal);
    // Each event is looked up on its own: one container that is slow to end must not hold up the others.
    const pump = this.#pump(signal, (containerId, topic) => {
      const found = (podUid: string | undefined) => podUid !== undefined && fan.emit(podUid);
      const missed = (error: unknown) => this.#options.logger.debug("lost a container event", { containerId, error: String(error) });
      void this.#podOf(containerId, topic, signal).then(found, missed);
    }).finally(() => ended.abort());
    // Its error is thrown below, when the events have ended.
    pump.catch(() => undefined);
    yield* events;
    await pump;
  }

  /** Calls `onEvent` with the containers and sandboxes that containerd says have ended or lack memory, until it ends. */
  async #pump(signal: AbortSignal, onEvent: (containerId: string, topic: string) => void): Promise<void> {
    const subscribe = loadProtocol("./containerd-events.proto").get("containerd.services.events.v1.Events/Subscribe");
    if (subscribe === undefined) return;
    // Starts are the agent's own calls: it looks when they return. One that is carried out after its deadline, the agent's comparison finds.
    const filters = ["exit", "oom"].map((name) => `namespace==k8s.io,topic=="/tasks/${name}"`);
    const headers = { "containerd-namespace": "k8s.io" };
    for await (const { event, topic } of this.#options.rpc.stream<Envelope>(subscribe, { filters }, signal, headers)) {
      const { containerId, processId } = readTaskEvent(event?.value ?? new Uint8Array());
      // An exec'd process has an id of its own.
      if (processId === "" || processId === containerId) onEvent(containerId, topic);
    }
  }

  /** Whose container or sandbox this is, once the CRI shows what the event told. */
  async #podOf(id: string, topic: string, signal: AbortSignal): Promise<string | undefined> {
    const { call, clock, lister } = this.#options;
    lister.forget(id);
    const deadlineMs = clock.monotonic() + EXIT_WAIT_MS;
    for (let lookMs = FIRST_EXIT_LOOK_MS; ; lookMs = Math.min(2 * lookMs, MAX_EXIT_LOOK_MS)) {
      const { containers } = await call<{ containers: WireContainer[] }>("ListContainers", { filter: { id } }, signal);
      const [container] = containers;
      const [sandbox] =
        container === undefined ? (await call<{ items: WireSandbox[] }>("ListPodSandbox", { filter: { id } }, signal)).items : [];
      // A container that ends at once has not even started yet as far as the CRI knows.
      const isAlive = container === undefined ? sandbox?.state === "SANDBOX_READY" : container.state !== "CONTAINER_EXITED";
      if (!(topic === "/tasks/exit" && isAlive) || clock.monotonic() >= deadlineMs) {
        return (container ?? sandbox)?.labels[LABELS.podUid];
      }
      await sleepWith(clock, lookMs, signal);
    }
  }

  async *#fromCri(signal: AbortSignal): AsyncIterable<RuntimeEvent> {
    const { rpc, criMethod, lister } = this.#options;
    interface Event {
      readonly containerId: string;
      readonly podSandboxStatus: WireSandboxStatus | null;
    }
    for await (const event of rpc.stream<Event>(criMethod, {}, signal, {})) {
      lister.forget(event.containerId);
      const podUid = event.podSandboxStatus?.labels[LABELS.podUid];
      if (podUid !== undefined) yield { podUid };
    }
  }

  async *#fromLists(signal: AbortSignal): AsyncIterable<RuntimeEvent> {
    const { lister, clock, logger } = this.#options;
    let before: ReadonlyMap<string, string> | undefined;
    while (!signal.aborted) {
      try {
        const now = fingerprints(await lister.list(undefined, signal));
        for (const podUid of changedPods(before ?? now, now)) yield { podUid };
        before = now;
        await sleepWith(clock, RELIST_PERIOD_MS, signal);
      } catch (error) {
        if (signal.aborted) return;
        logger.warn("cannot list the runtime's pods", { error: String(error) });
        await sleepWith(clock, RELIST_PERIOD_MS, signal).catch(() => undefined);
      }
    }
  }
}

/** What matters of each pod for telling whether it changed. */
function fingerprints(pods: readonly RuntimePod[]): ReadonlyMap<string, string> {
  return new Map(pods.map((pod) => [pod.uid, [...pod.sandboxes, ...pod.containers].map(({ id, state }) => `${id}=${state}`).join()]));
}

/** The pods that came, went or changed between two looks. */
export function changedPods(before: ReadonlyMap<string, string>, now: ReadonlyMap<string, string>): readonly string[] {
  const uids = new Set([...before.keys(), ...now.keys()]);
  return [...uids].filter((uid) => before.get(uid) !== now.get(uid));
}

/** Fields 1 and 2 of the task events, which are strings; whatever follows is not read. */
export function readTaskEvent(bytes: Uint8Array): { readonly containerId: string; readonly processId: string } {
  const texts = ["", ""];
  let offset = 0;
  for (let field = 1; field <= 2 && bytes[offset] === ((field << 3) | 2); field++) {
    const length = bytes[offset + 1] ?? 0;
    texts[field - 1] = Buffer.from(bytes.subarray(offset + 2, offset + 2 + length)).toString();
    offset += 2 + length;
  }
  return { containerId: texts[0] ?? "", processId: texts[1] ?? "" };
}
