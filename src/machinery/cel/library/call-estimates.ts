// What the call of a function may cost at most, beside its arguments, and how large its result may be.
// @see kubernetes `apiserver/pkg/cel/library/cost.go`, cel-go `checker/cost.go`
import type { Expr } from "../ast.ts";
import type { CelBound } from "../cost-estimator.ts";
import { type CostRange, exactly, one, product, scaled, sum, unknown, zero } from "../cost-range.ts";
import type { Overload } from "../functions.ts";
import { type CelType, structured } from "../types.ts";

/** A call; a method's target is the first argument. */
export interface CallSite {
  readonly overload: Overload;
  readonly nodes: readonly Expr[];
  readonly types: readonly CelType[];
  readonly sizes: readonly CostRange[];
  readonly bounds: readonly (CelBound | undefined)[];
}

export interface CallEstimate {
  readonly cost: CostRange;
  readonly size?: CostRange | undefined;
}

type Estimating = (site: CallSite, first: CostRange, second: CostRange) => CallEstimate;

/** Upstream's factors: for going through a text, and for a character of a regular expression. */
const TRAVERSAL = 0.1;
const REGEX = 0.25;
const MAX_FORMAT_REGEX = 128;
/** The bytes of an address. */
const ADDRESS: CostRange = { min: 4, max: 16 };

const traversal = (size: CostRange) => scaled(size, TRAVERSAL);
const keepsSize: Estimating = (_site, text) => ({ cost: traversal(text), size: text });
const compares: Estimating = (_site, left, right) => {
  const max = Math.min(left.max, right.max);
  return { cost: traversal({ min: max > 0 ? 1 : 0, max }) };
};
const searches: Estimating = (_site, text, pattern) => ({
  cost: product(traversal(sum(text, one)), scaled(pattern, REGEX)),
});
const finds: Estimating = (site, text, pattern) => ({ ...searches(site, text, pattern), size: { min: 0, max: text.max } });
const begins: Estimating = (_site, _text, part) => ({ cost: traversal(part) });
const constant: CallEstimate = { cost: one };

const orders = Object.fromEntries(["_<_", "_<=_", "_>_", "_>=_"].map((name) => [name, textual(compares)]));

/** By name; all other functions cost 1. */
const estimates: Readonly<Record<string, Estimating>> = {
  ...orders,
  "_==_": compares,
  "_!=_": compares,
  "_+_": concatenates,
  "@in": (site, _item, list) => (isList(site, 1) ? { cost: list } : constant),
  contains: (_site, text, part) => ({ cost: product(traversal(text), traversal(part)) }),
  startsWith: begins,
  endsWith: begins,
  matches: searches,
  format: (_site, text) => ({ cost: traversal(text) }),
  string: (site, bytes) => (isOf(site, "bytes") ? { cost: traversal(bytes), size: { min: bytes.min / 4, max: bytes.max } } : constant),
  bytes: (site, text) => (isOf(site, "string") ? { cost: traversal(text), size: { min: text.min, max: text.max * 4 } } : constant),
  "strings.quote": (_site, text) => ({ cost: traversal(text), size: { min: text.min + 2, max: text.max * 2 + 2 } }),
  "sets.contains": (_site, left, right) => ({ cost: product(left, right) }),
  "sets.intersects": (_site, left, right) => ({ cost: product(left, right) }),
  "sets.equivalent": (_site, left, right) => ({ cost: scaled(product(left, right), 2) }),
  check: () => ({ cost: exactly(350_000) }),
  ...Object.fromEntries(["isSorted", "sum", "max", "min", "indexOf", "lastIndexOf"].map((name) => [name, goesThrough])),
  ...Object.fromEntries(["lowerAscii", "upperAscii", "substring", "trim"].map((name) => [name, keepsSize])),
  url: (_site, text) => ({ cost: traversal(text) }),
  replace: replaces,
  split: splits,
  join: joins,
  find: finds,
  findAll: finds,
  validate: (_site, _format, text) => ({ cost: scaled(traversal(text), MAX_FORMAT_REGEX * REGEX) }),
  containsIP: (site, _cidr, text) => ({ cost: sum(traversal(sum(ADDRESS, ADDRESS)), parsing(site, text)) }),
  containsCIDR: (site, _cidr, text) => ({
    cost: sum(traversal(sum(ADDRESS, ADDRESS)), traversal(ADDRESS), one, parsing(site, text)),
  }),
};

export function estimateCall(site: CallSite): CallEstimate {
  const [first = unknown, second = unknown] = site.sizes;
  return estimates[site.overload.name]?.(site, first, second) ?? constant;
}

function isOf({ overload }: CallSite, type: string, index = 0): boolean {
  return overload.parameters[index] === type;
}

function isList({ overload }: CallSite, index: number): boolean {
  const type = structured(overload.parameters[index] ?? "dyn");
  return typeof type === "object" && type.kind === "list";
}

/** Only texts and bytes take longer when they are long. */
function textual(estimating: Estimating): Estimating {
  return (site, left, right) => (isOf(site, "string") || isOf(site, "bytes") ? estimating(site, left, right) : constant);
}

function parsing(site: CallSite, text: CostRange): CostRange {
  return isOf(site, "string", 1) ? traversal(text) : zero;
}

function concatenates(site: CallSite, left: CostRange, right: CostRange): CallEstimate {
  const size = sum(left, right);
  if (isList(site, 0)) return { cost: one, size };
  return isOf(site, "string") || isOf(site, "bytes") ? { cost: traversal(size), size } : constant;
}

/**
 * Looks at every element, and into those that are texts; `indexOf` of a text looks at its characters.
 * DEVIATION: here and in `join`, upstream knows nothing of the elements of lists that an expression made.
 */
function goesThrough(site: CallSite, size: CostRange): CallEstimate {
  const { types, bounds } = site;
  if (!isList(site, 0)) return { cost: traversal(size) };
  const type = structured(types[0] ?? "dyn");
  const isText = typeof type === "object" && type.kind === "list" && (type.element === "string" || type.element === "bytes");
  return { cost: product(size, isText ? sum(one, traversal(bounds[0]?.each?.size ?? unknown)) : one) };
}

function replaces({ sizes }: CallSite, text: CostRange, from: CostRange): CallEstimate {
  const to = sizes[2] ?? unknown;
  const longest = grown(text.max, from.min, to.max, to.max <= from.min);
  const shortest = grown(text.min, from.max, to.min, from.max <= to.min);
  return { cost: scaled(text, 2 * TRAVERSAL), size: { min: shortest, max: longest } };
}

/** The length of a text in which all of `from` characters become `to`; an empty part is found around every character. */
function grown(length: number, from: number, to: number, staysSame: boolean): number {
  if (from === 0) return (length + 1) * to + length;
  return staysSame ? length : Math.ceil(length / from) * to;
}

/** At worst every character becomes an element. */
function splits({ nodes }: CallSite, text: CostRange): CallEstimate {
  const limit = nodes[2];
  const max = limit?.kind === "const" && typeof limit.value === "bigint" && limit.value >= 0n ? Number(limit.value) : text.max;
  return { cost: scaled(text, 2 * TRAVERSAL), size: { min: 0, max } };
}

function joins({ bounds, sizes }: CallSite, list: CostRange): CallEstimate {
  const separators = { min: Math.max(0, list.min - 1), max: Math.max(0, list.max - 1) };
  const between = sizes[1] === undefined ? zero : product(sizes[1], separators);
  const size = sum(product(list, bounds[0]?.each?.size ?? unknown), between);
  return { cost: traversal(size), size };
}
