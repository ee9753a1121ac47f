// Semantic versions in CEL.
import { CelEvaluationError } from "../errors.ts";
import { type Overload, overload } from "../functions.ts";
import { CelHostObject } from "../values.ts";

/** A version of semver.org. */
class CelSemver extends CelHostObject {
  readonly celType = "kubernetes.Semver";
  readonly numbers: readonly bigint[];
  readonly preRelease: readonly string[];

  constructor(numbers: readonly bigint[], preRelease: readonly string[]) {
    super();
    this.numbers = numbers;
    this.preRelease = preRelease;
  }

  override equals(other: CelHostObject): boolean {
    return other instanceof CelSemver && compare(this, other) === 0;
  }
}

const pattern =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[A-Za-z-][\dA-Za-z-]*)(?:\.(?:0|[1-9]\d*|\d*[A-Za-z-][\dA-Za-z-]*))*))?(?:\+[\dA-Za-z-]+(?:\.[\dA-Za-z-]+)*)?$/;

/** Without a leading `v`, with missing parts as 0, without leading zeros. */
function normalized(text: string): string {
  const [, core = "", rest = ""] = /^v?([\d.]*)(.*)$/.exec(text) ?? [];
  const parts = core.split(".").map((part) => part.replace(/^0+(?=\d)/, ""));
  while (parts.length < 3) parts.push("0");
  return parts.join(".") + rest;
}

function parse(text: string, normalize = false): CelSemver | undefined {
  const match = pattern.exec(normalize ? normalized(text) : text);
  if (match === null) return undefined;
  return new CelSemver(match.slice(1, 4).map(BigInt), match[4]?.split(".") ?? []);
}

function read(text: string, normalize = false): CelSemver {
  const version = parse(text, normalize);
  if (version === undefined) throw new CelEvaluationError(`semver parse error: invalid version ${JSON.stringify(text)}`);
  return version;
}

/** A version as CEL value. Throws CelEvaluationError. */
export function celSemver(text: string): CelHostObject {
  return read(text);
}

function compare(left: CelSemver, right: CelSemver): number {
  for (const [index, number] of left.numbers.entries()) {
    const other = right.numbers[index] ?? 0n;
    if (number !== other) return number < other ? -1 : 1;
  }
  if (left.preRelease.length === 0 || right.preRelease.length === 0) return right.preRelease.length - left.preRelease.length;
  for (const [index, part] of left.preRelease.entries()) {
    const order = comparePart(part, right.preRelease[index]);
    if (order !== 0) return order;
  }
  return left.preRelease.length - right.preRelease.length;
}

/** Numbers stand before words; a version that has ended stands before one that goes on. */
function comparePart(left: string, right: string | undefined): number {
  if (right === undefined) return 1;
  const [a, b] = [/^\d+$/.test(left), /^\d+$/.test(right)];
  if (a && b) return Number(BigInt(left) - BigInt(right));
  if (a !== b) return a ? -1 : 1;
  return left < right ? -1 : left > right ? 1 : 0;
}

const part = (index: number) => (version: CelSemver) => version.numbers[index] ?? 0n;

/** The functions of versions. */
export const semverFunctions: readonly Overload[] = [
  overload("semver(string) -> kubernetes.Semver", (text: string) => read(text)),
  overload("semver(string, bool) -> kubernetes.Semver", read),
  overload("isSemver(string) -> bool", (text: string) => parse(text) !== undefined),
  overload("isSemver(string, bool) -> bool", (text: string, normalize: boolean) => parse(text, normalize) !== undefined),
  overload("kubernetes.Semver.major() -> int", part(0)),
  overload("kubernetes.Semver.minor() -> int", part(1)),
  overload("kubernetes.Semver.patch() -> int", part(2)),
  overload("kubernetes.Semver.compareTo(kubernetes.Semver) -> int", (a: CelSemver, b: CelSemver) => BigInt(Math.sign(compare(a, b)))),
  overload("kubernetes.Semver.isLessThan(kubernetes.Semver) -> bool", (a: CelSemver, b: CelSemver) => compare(a, b) < 0),
  overload("kubernetes.Semver.isGreaterThan(kubernetes.Semver) -> bool", (a: CelSemver, b: CelSemver) => compare(a, b) > 0),
];
