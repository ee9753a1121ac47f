import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseQuantity, QuantityError, quantityMilli, quantityValue } from "./quantity.ts";

test("the canonical form has no fraction and the largest fitting suffix", () => {
  const cases = {
    "0": "0",
    "0Gi": "0",
    "1000m": "1",
    "0.5": "500m",
    "1.50": "1500m",
    "1024Mi": "1Gi",
    "1000Ki": "1000Ki",
    "1023Ki": "1023Ki",
    "0.5Ki": "512",
    "1.5Gi": "1536Mi",
    "0.1Gi": "107374182400m",
    "1024": "1024",
    "1000000": "1M",
    "1e3": "1e3",
    "12E2": "1200",
    "1E": "1E",
    "5e-3": "5e-3",
    "1n": "1n",
    "0.1n": "1n",
    "-1500m": "-1500m",
    "+3": "3",
    ".5": "500m",
    "1.": "1",
    "1e30": "9223372036854775807",
  };
  for (const [text, canonical] of Object.entries(cases)) {
    assert.equal(parseQuantity(text).toString(), canonical, text);
  }
});

test("what is no quantity is refused with upstream's words", () => {
  for (const text of ["", "a", ".", "1 Gi", "--1", "1.2.3", " 1"]) {
    assert.throws(() => parseQuantity(text), { message: /^quantities must match the regular expression/ }, text);
  }
  for (const text of ["1Kii", "1K", "1ee3", "1mi"]) {
    assert.throws(
      () => parseQuantity(text),
      (error) => error instanceof QuantityError && /suffix/.test(error.message),
      text,
    );
  }
});

test("values are rounded up", () => {
  assert.equal(quantityValue("1500m"), 2);
  assert.equal(quantityMilli("100u"), 1);
  assert.equal(quantityMilli("250m"), 250);
  assert.equal(quantityMilli("2"), 2000);
  assert.equal(quantityValue("1Gi"), 2 ** 30);
  assert.equal(quantityValue(3), 3);
});

test("a zero takes over the format of what is added", () => {
  assert.equal(parseQuantity("0").add(parseQuantity("1Gi")).toString(), "1Gi");
  assert.equal(parseQuantity("1Gi").add(parseQuantity("1Gi")).sub(parseQuantity("512Mi")).toString(), "1536Mi");
  assert.equal(parseQuantity("1").compare(parseQuantity("1000m")), 0);
  assert.equal(parseQuantity("1M").compare(parseQuantity("1Mi")), -1);
});

const suffix = fc.constantFrom("", "n", "u", "m", "k", "M", "G", "T", "Ki", "Mi", "Gi", "Ti", "e3", "e-2", "E6");
const quantityText = fc.tuple(fc.integer({ min: -99999, max: 99999 }), suffix).map(([digits, end]) => `${digits}${end}`);

test("the canonical form means the same and is stable", () => {
  fc.assert(
    fc.property(quantityText, (text) => {
      const quantity = parseQuantity(text);
      const again = parseQuantity(quantity.toString());
      assert.equal(again.compare(quantity), 0);
      assert.equal(again.toString(), quantity.toString());
    }),
  );
});

test("adding and subtracting are inverse", () => {
  fc.assert(
    fc.property(quantityText, quantityText, (a, b) => {
      const sum = parseQuantity(a).add(parseQuantity(b));
      assert.equal(sum.sub(parseQuantity(b)).compare(parseQuantity(a)), 0);
    }),
  );
});
