// The Pod Security Standards' levels and versions, and what a namespace's labels ask for.
import { type FieldError, field } from "../../../machinery/index.ts";

export const levels = ["privileged", "baseline", "restricted"] as const;
export type Level = (typeof levels)[number];

export interface LevelVersion {
  readonly level: Level;
  /** The minor version whose rules apply; "latest" for the newest. */
  readonly version: number | "latest";
}

/** What is refused, what is warned about. Audit annotations are for the audit log. */
export interface PodSecurityPolicy {
  readonly enforce: LevelVersion;
  readonly audit: LevelVersion;
  readonly warn: LevelVersion;
}

type Labels = Readonly<Record<string, string>> | undefined;

const PREFIX = "pod-security.kubernetes.io/";

/** `baseline:latest`, `restricted:v1.30` */
export function formatLevel({ level, version }: LevelVersion): string {
  return `${level}:${version === "latest" ? version : `v1.${version}`}`;
}

export function isStricter(a: Level, b: Level): boolean {
  return levels.indexOf(a) > levels.indexOf(b);
}

/** Whether a namespace's labels ask for anything. */
export function hasPolicy(labels: Labels): boolean {
  return labels !== undefined && Object.keys(labels).some((key) => key.startsWith(PREFIX));
}

/** The policy of a namespace with these labels. What cannot be understood is taken for the strictest, and is an error. */
export function policyOf(labels: Labels): { readonly policy: PodSecurityPolicy; readonly errors: readonly FieldError[] } {
  const errors: FieldError[] = [];
  const read = (mode: string): LevelVersion => ({
    level: levelOf(labels, `${PREFIX}${mode}`, errors),
    version: versionOf(labels, `${PREFIX}${mode}-version`, errors),
  });
  const enforce = read("enforce");
  const audit = read("audit");
  const warn = read("warn");
  // Who only enforces is warned as well, since workloads are never refused.
  const isWarned = labels?.[`${PREFIX}warn`] !== undefined || !isStricter(enforce.level, warn.level);
  return { policy: { enforce, audit, warn: isWarned ? warn : enforce }, errors };
}

function levelOf(labels: Labels, key: string, errors: FieldError[]): Level {
  const text = labels?.[key];
  if (text === undefined) return "privileged";
  const known = levels.find((level) => level === text);
  if (known === undefined) errors.push(field.invalid(`metadata.labels[${key}]`, text, `must be one of ${levels.join(", ")}`));
  return known ?? "restricted";
}

function versionOf(labels: Labels, key: string, errors: FieldError[]): number | "latest" {
  const text = labels?.[key];
  if (text === undefined || text === "latest") return "latest";
  const match = /^v1\.([0-9]|[1-9][0-9]*)$/.exec(text);
  if (match === null) errors.push(field.invalid(`metadata.labels[${key}]`, text, `must be "latest" or "v1.x"`));
  return match === null ? "latest" : Number(match[1]);
}
