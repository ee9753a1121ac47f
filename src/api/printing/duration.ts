// Durations as `kubectl get` shows them.

const secondMs = 1000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;

/** `45s`, `3m20s`, `5h`, `2d4h`, `3y`: two units while the larger one is small. */
export function humanDuration(durationMs: number): string {
  const seconds = Math.trunc(durationMs / secondMs);
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.trunc(durationMs / minuteMs);
  if (minutes < 10) return twoUnits(minutes, "m", seconds % 60, "s");
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.trunc(durationMs / hourMs);
  if (hours < 8) return twoUnits(hours, "h", minutes % 60, "m");
  if (hours < 48) return `${hours}h`;
  const days = Math.trunc(hours / 24);
  if (hours < 24 * 8) return twoUnits(days, "d", hours % 24, "h");
  if (hours < 24 * 365 * 2) return `${days}d`;
  const years = Math.trunc(days / 365);
  return hours < 24 * 365 * 8 ? twoUnits(years, "y", days % 365, "d") : `${years}y`;
}

function twoUnits(major: number, majorUnit: string, minor: number, minorUnit: string): string {
  return minor === 0 ? `${major}${majorUnit}` : `${major}${majorUnit}${minor}${minorUnit}`;
}

/** `45s`, `3m`, `5h`, `2d`, `3y`: one unit. */
export function shortHumanDuration(durationMs: number): string {
  const seconds = Math.trunc(durationMs / secondMs);
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.trunc(durationMs / minuteMs);
  if (minutes < 60) return `${minutes}m`;
  const hours = Math.trunc(durationMs / hourMs);
  if (hours < 24) return `${hours}h`;
  return hours < 24 * 365 ? `${Math.trunc(hours / 24)}d` : `${Math.trunc(hours / 24 / 365)}y`;
}

/** How long ago a timestamp was, or `<unknown>` when there is none. */
export function timeSince(timestamp: string | undefined | null, nowMs: number): string {
  return timestamp === undefined || timestamp === null || timestamp === "" ? "<unknown>" : humanDuration(nowMs - Date.parse(timestamp));
}

/** How long until a timestamp, or `<unknown>` when there is none. */
export function timeUntil(timestamp: string | undefined | null, nowMs: number): string {
  return timestamp === undefined || timestamp === null || timestamp === "" ? "<unknown>" : humanDuration(Date.parse(timestamp) - nowMs);
}
