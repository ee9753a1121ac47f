// Which thresholds are passed, and what pressures a node is under. Pure.
import { amountOf, type EvictionSignal, type Threshold } from "./thresholds.ts";

export interface SignalObservation {
  readonly available: number;
  readonly capacity: number;
}

/** What was found; a signal that could not be looked at is missing. */
export type Observations = ReadonlyMap<EvictionSignal, SignalObservation>;

export type Pressure = "MemoryPressure" | "DiskPressure" | "PIDPressure";

/** What is remembered from one look to the next. */
export interface PressureState {
  /** Since when each threshold is passed, by its index. */
  readonly passedSinceMs: ReadonlyMap<number, number>;
  /** When a pressure was last found. */
  readonly lastFoundMs: ReadonlyMap<Pressure, number>;
}

export const NO_PRESSURE: PressureState = { passedSinceMs: new Map(), lastFoundMs: new Map() };

export interface PassedThreshold {
  readonly threshold: Threshold;
  readonly observed: SignalObservation;
}

export interface PressureFinding {
  readonly state: PressureState;
  readonly pressures: ReadonlySet<Pressure>;
  /** Thresholds that are passed for longer than their grace; memory first, because nothing else can be reclaimed fast enough. */
  readonly passed: readonly PassedThreshold[];
}

const PRESSURE_OF: Readonly<Record<EvictionSignal, Pressure>> = {
  "memory.available": "MemoryPressure",
  "nodefs.available": "DiskPressure",
  "nodefs.inodesFree": "DiskPressure",
  "imagefs.available": "DiskPressure",
  "imagefs.inodesFree": "DiskPressure",
  "pid.available": "PIDPressure",
};

export function pressureOf(signal: EvictionSignal): Pressure {
  return PRESSURE_OF[signal];
}

/**
 * A threshold that was passed stays so until its minimum reclaim is there too; a pressure that was found lasts for the
 * transition period.
 */
export function findPressures(
  thresholds: readonly Threshold[],
  observations: Observations,
  past: { readonly state: PressureState; readonly nowMs: number; readonly transitionMs: number },
): PressureFinding {
  const { state, nowMs, transitionMs } = past;
  const passedSinceMs = new Map<number, number>();
  const lastFoundMs = new Map(state.lastFoundMs);
  const passed: PassedThreshold[] = [];
  for (const [index, threshold] of thresholds.entries()) {
    const observed = observations.get(threshold.signal);
    if (observed === undefined) continue;
    const before = state.passedSinceMs.get(index);
    const reclaim = before === undefined ? 0 : amountOf(threshold.minReclaim, observed.capacity);
    if (observed.available >= amountOf(threshold.value, observed.capacity) + reclaim) continue;
    const sinceMs = before ?? nowMs;
    passedSinceMs.set(index, sinceMs);
    lastFoundMs.set(PRESSURE_OF[threshold.signal], nowMs);
    if (nowMs - sinceMs >= threshold.graceMs) passed.push({ threshold, observed });
  }
  const isLasting = (foundMs: number) => nowMs === foundMs || nowMs - foundMs < transitionMs;
  const pressures = new Set([...lastFoundMs].filter(([, foundMs]) => isLasting(foundMs)).map(([pressure]) => pressure));
  const rank = ({ threshold }: PassedThreshold) => (threshold.signal === "memory.available" ? 0 : 1);
  return { state: { passedSinceMs, lastFoundMs }, pressures, passed: passed.toSorted((a, b) => rank(a) - rank(b)) };
}
