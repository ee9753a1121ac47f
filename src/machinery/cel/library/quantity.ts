// Kubernetes' quantities in CEL.
import { parseQuantity, Quantity, QuantityError } from "../../quantity.ts";
import { CelEvaluationError } from "../errors.ts";
import { type Overload, overload } from "../functions.ts";
import { CelHostObject } from "../values.ts";

const unit = 1_000_000_000n;

/** A quantity as CEL value. */
export class CelQuantity extends CelHostObject {
  readonly celType = "kubernetes.Quantity";
  readonly quantity: Quantity;

  constructor(quantity: Quantity) {
    super();
    this.quantity = quantity;
  }

  override equals(other: CelHostObject): boolean {
    return other instanceof CelQuantity && this.quantity.compare(other.quantity) === 0;
  }

  override toString(): string {
    return this.quantity.toString();
  }
}

function read(text: string): Quantity {
  try {
    return parseQuantity(text);
  } catch (cause) {
    if (cause instanceof QuantityError) throw new CelEvaluationError(cause.message, { cause });
    throw cause;
  }
}

function isQuantity(text: string): boolean {
  try {
    parseQuantity(text);
    return true;
  } catch (err) {
    if (err instanceof QuantityError) return false;
    throw err;
  }
}

function asInteger({ quantity }: CelQuantity): bigint {
  if (!isInteger(quantity)) throw new CelEvaluationError("cannot convert value to integer");
  return quantity.nanoValue() / unit;
}

const isInteger = (quantity: Quantity) => quantity.nanoValue() % unit === 0n;
const whole = (value: bigint) => new Quantity(value * unit, "DecimalSI");
const order = (a: CelQuantity, b: CelQuantity) => a.quantity.compare(b.quantity);

/** The functions of quantities. */
export const quantityFunctions: readonly Overload[] = [
  overload("quantity(string) -> kubernetes.Quantity", (text: string) => new CelQuantity(read(text))),
  overload("isQuantity(string) -> bool", isQuantity),
  overload("kubernetes.Quantity.isInteger() -> bool", ({ quantity }: CelQuantity) => isInteger(quantity)),
  overload("kubernetes.Quantity.asInteger() -> int", asInteger),
  overload(
    "kubernetes.Quantity.asApproximateFloat() -> double",
    ({ quantity }: CelQuantity) => Number(quantity.nanoValue()) / Number(unit),
  ),
  overload("kubernetes.Quantity.sign() -> int", ({ quantity }: CelQuantity) => BigInt(quantity.compare(whole(0n)))),
  overload(
    "kubernetes.Quantity.add(kubernetes.Quantity) -> kubernetes.Quantity",
    (a: CelQuantity, b: CelQuantity) => new CelQuantity(a.quantity.add(b.quantity)),
  ),
  overload("kubernetes.Quantity.add(int) -> kubernetes.Quantity", (a: CelQuantity, b: bigint) => new CelQuantity(a.quantity.add(whole(b)))),
  overload(
    "kubernetes.Quantity.sub(kubernetes.Quantity) -> kubernetes.Quantity",
    (a: CelQuantity, b: CelQuantity) => new CelQuantity(a.quantity.sub(b.quantity)),
  ),
  overload("kubernetes.Quantity.sub(int) -> kubernetes.Quantity", (a: CelQuantity, b: bigint) => new CelQuantity(a.quantity.sub(whole(b)))),
  overload("kubernetes.Quantity.isLessThan(kubernetes.Quantity) -> bool", (a: CelQuantity, b: CelQuantity) => order(a, b) < 0),
  overload("kubernetes.Quantity.isGreaterThan(kubernetes.Quantity) -> bool", (a: CelQuantity, b: CelQuantity) => order(a, b) > 0),
  overload("kubernetes.Quantity.compareTo(kubernetes.Quantity) -> int", (a: CelQuantity, b: CelQuantity) => BigInt(order(a, b))),
];
