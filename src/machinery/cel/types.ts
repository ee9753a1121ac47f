// The types of CEL: what variables are declared as, and the rules by which one type fits where another is expected.

/** A type by its name; `list` and `map` have elements of any type. */
export type CelTypeName =
  | "dyn"
  | "bool"
  | "int"
  | "uint"
  | "double"
  | "string"
  | "bytes"
  | "null_type"
  | "timestamp"
  | "duration"
  | "type"
  | "list"
  | "map";

/** A field of an object type: its type, and its name in JSON where that differs. */
export interface CelField {
  readonly type: CelType;
  readonly jsonName?: string;
}

/** An object with known fields: selecting any other field is a compile error. `fields` may be a getter that makes them late. */
export interface CelObjectType {
  readonly kind: "object";
  readonly name: string;
  readonly fields: ReadonlyMap<string, CelField>;
  /** Built by struct literals (`Object{…}`). */
  readonly constructible?: boolean;
}

/** A list; `equality` says how two of them are compared: `set` without regard to order, `map` by the key fields of the items. */
export interface CelListType {
  readonly kind: "list";
  readonly element: CelType;
  readonly equality?: { readonly by: "set" } | { readonly by: "map"; readonly keys: readonly string[] };
}

/** A map. */
export interface CelMapType {
  readonly kind: "map";
  readonly key: CelType;
  readonly value: CelType;
}

/** A type without visible inside, such as `kubernetes.Quantity`, or `optional_type` with its parameter. */
export interface CelOpaqueType {
  readonly kind: "opaque";
  readonly name: string;
  readonly parameters: readonly CelType[];
}

/** Stands for any one type within the signature of a function. */
interface CelTypeParameter {
  readonly kind: "parameter";
  readonly name: string;
}

/** A type of CEL. */
export type CelType = CelTypeName | CelObjectType | CelListType | CelMapType | CelOpaqueType | CelTypeParameter;

/** What the parameters of a signature have been found to be. */
export type Bindings = Map<string, CelType>;

/** The shapes of the types, with `list` and `map` spelled out. */
export type Structured = Exclude<CelType, "list" | "map">;

const anyList: CelListType = { kind: "list", element: "dyn" };
const anyMap: CelMapType = { kind: "map", key: "dyn", value: "dyn" };

/** The type with the short names `list` and `map` spelled out. */
export function structured(type: CelType): Structured {
  if (type === "list") return anyList;
  return type === "map" ? anyMap : type;
}

/** A list type. */
export function listOf(element: CelType): CelListType {
  return { kind: "list", element };
}

/** The type of objects with these fields. */
export function objectOf(name: string, fields: Readonly<Record<string, CelType>>): CelObjectType {
  return { kind: "object", name, fields: new Map(Object.entries(fields).map(([field, type]): [string, CelField] => [field, { type }])) };
}

/** An optional value's type. */
export function optionalOf(type: CelType): CelOpaqueType {
  return { kind: "opaque", name: "optional_type", parameters: [type] };
}

/** The type as cel-go prints it. */
export function formatType(type: CelType): string {
  const shape = structured(type);
  if (typeof shape === "string") return shape;
  if (shape.kind === "list") return `list(${formatType(shape.element)})`;
  if (shape.kind === "map") return `map(${formatType(shape.key)}, ${formatType(shape.value)})`;
  if (shape.kind === "opaque" && shape.parameters.length > 0) return `${shape.name}(${shape.parameters.map(formatType).join(", ")})`;
  return shape.name;
}

/** Whether a value of type `actual` may stand where `expected` is declared; type parameters are bound on the way. */
export function isAssignable(expected: CelType, actual: CelType, bindings: Bindings): boolean {
  const [want, have] = [structured(expected), structured(actual)];
  if (want === "dyn" || have === "dyn") return true;
  if (typeof want === "object" && want.kind === "parameter") return bindParameter(want.name, have, bindings);
  if (have === "null_type") return want === "null_type" || isNullable(want);
  if (want === "null_type") return isNullable(have);
  if (typeof want === "string" || typeof have === "string") return want === have;
  if (want.kind === "list") return have.kind === "list" && isAssignable(want.element, have.element, bindings);
  if (want.kind === "map")
    return have.kind === "map" && isAssignable(want.key, have.key, bindings) && isAssignable(want.value, have.value, bindings);
  if (want.kind !== have.kind || want.name !== (have as CelObjectType | CelOpaqueType).name) return false;
  if (want.kind !== "opaque" || have.kind !== "opaque") return true;
  return want.parameters.every((parameter, index) => isAssignable(parameter, have.parameters[index] ?? "dyn", bindings));
}

function bindParameter(name: string, actual: CelType, bindings: Bindings): boolean {
  const bound = bindings.get(name);
  if (bound === undefined || (bound === "null_type" && isNullable(structured(actual)))) {
    bindings.set(name, actual);
    return true;
  }
  if (!isAssignable(bound, actual, bindings)) return false;
  // What is more general wins: a list of anything beside a list of strings makes lists of anything.
  if (isMoreGeneral(actual, bound)) bindings.set(name, actual);
  return true;
}

function isMoreGeneral(left: CelType, right: CelType): boolean {
  const [a, b] = [structured(left), structured(right)];
  if (a === "dyn") return b !== "dyn";
  if (typeof a === "string" || typeof b === "string") return false;
  if (a.kind === "list" && b.kind === "list") return isMoreGeneral(a.element, b.element);
  if (a.kind === "map" && b.kind === "map") return isMoreGeneral(a.key, b.key) || isMoreGeneral(a.value, b.value);
  return false;
}

function isNullable(type: Structured): boolean {
  if (typeof type === "string") return type === "timestamp" || type === "duration";
  return type.kind === "object" || type.kind === "opaque";
}

/** The type with parameters replaced by what they are bound to; what stayed open is `dyn`. */
export function substitute(type: CelType, bindings: Bindings): CelType {
  const shape = structured(type);
  if (typeof shape === "string") return shape;
  switch (shape.kind) {
    case "parameter":
      return bindings.get(shape.name) ?? "dyn";
    case "list":
      return { ...shape, element: substitute(shape.element, bindings) };
    case "map":
      return { ...shape, key: substitute(shape.key, bindings), value: substitute(shape.value, bindings) };
    case "opaque":
      return { ...shape, parameters: shape.parameters.map((parameter) => substitute(parameter, bindings)) };
    case "object":
      return shape;
  }
}

/** The one type that fits both, or undefined. */
export function joinTypes(left: CelType, right: CelType): CelType | undefined {
  const bindings: Bindings = new Map();
  const parameter: CelType = { kind: "parameter", name: "A" };
  if (!isAssignable(parameter, left, bindings) || !isAssignable(parameter, right, bindings)) return undefined;
  return left === "dyn" || right === "dyn" ? "dyn" : substitute(parameter, bindings);
}
