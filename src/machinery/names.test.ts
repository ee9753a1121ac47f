import assert from "node:assert/strict";
import { test } from "node:test";
import {
  isConfigMapKey,
  isDns1035Label,
  isDns1123Label,
  isDns1123Subdomain,
  isEnvVarName,
  isIanaServiceName,
  isQualifiedName,
  isValidCidr,
  isValidIp,
  isValidLabelValue,
} from "./names.ts";

test("a DNS label has at most 63 bytes and no dots", () => {
  assert.deepEqual(isDns1123Label("web-1"), []);
  assert.deepEqual(isDns1123Label("a.b"), ["must not contain dots"]);
  assert.deepEqual(isDns1123Label("a".repeat(64)), ["must be no more than 63 bytes"]);
  assert.deepEqual(isDns1123Label("Web"), [
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
  ]);
});

test("a DNS subdomain is made of labels and dots", () => {
  assert.deepEqual(isDns1123Subdomain("a.b-c.d"), []);
  assert.deepEqual(isDns1123Subdomain("a..b"), [
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
  ]);
  assert.equal(isDns1123Subdomain("").length, 1);
});

test("a DNS-1035 label starts with a letter", () => {
  assert.deepEqual(isDns1035Label("a1"), []);
  assert.equal(isDns1035Label("1a").length, 1);
});

test("a qualified name has an optional prefix", () => {
  assert.deepEqual(isQualifiedName("app.kubernetes.io/name"), []);
  assert.deepEqual(isQualifiedName("Name_1"), []);
  assert.deepEqual(isQualifiedName("/name"), ["prefix part must be non-empty"]);
  assert.equal(isQualifiedName("a/b/c").length, 1);
  assert.match(isQualifiedName("")[0] ?? "", /^name part must be non-empty$/);
  assert.match(isQualifiedName("-a")[0] ?? "", /^name part must consist of .*\(e\.g\. 'MyName', {2}or 'my\.name', {2}or '123-abc', regex/);
});

test("a label's value may be empty but not end in a dash", () => {
  assert.deepEqual(isValidLabelValue(""), []);
  assert.deepEqual(isValidLabelValue("V_1.2"), []);
  assert.equal(isValidLabelValue("v-").length, 1);
  assert.equal(isValidLabelValue("v".repeat(64)).length, 1);
});

test("keys and variable names have rules of their own", () => {
  assert.deepEqual(isConfigMapKey("a.b_C"), []);
  assert.deepEqual(isConfigMapKey(".."), ["must not be '..'"]);
  assert.equal(isConfigMapKey("a/b").length, 1);
  assert.deepEqual(isEnvVarName("1 my:VAR"), []);
  assert.equal(isEnvVarName("a=b").length, 1);
  assert.equal(isEnvVarName("").length, 1);
});

test("a port's name is an IANA service name", () => {
  assert.deepEqual(isIanaServiceName("http-2"), []);
  assert.deepEqual(isIanaServiceName("80"), ["must contain at least one letter (a-z)"]);
  assert.deepEqual(isIanaServiceName("a--b"), ["must not contain consecutive hyphens"]);
  assert.deepEqual(isIanaServiceName("-a"), ["must not begin or end with a hyphen"]);
});

test("addresses and ranges are IPv4 or IPv6 without a zone", () => {
  for (const text of ["10.9.8.7", "::1", "2001:db8::ffff"]) assert.deepEqual(isValidIp(text), [], text);
  for (const text of ["", "10.9.8", "fe80::1%eth0", "300.1.1.1"]) assert.equal(isValidIp(text).length, 1, text);
  for (const text of ["10.0.0.0/8", "::/0", "2001:db8::/64"]) assert.deepEqual(isValidCidr(text), [], text);
  for (const text of ["10.0.0.0", "10.0.0.0/33", "/8", "::/129", "1.2.3.4/"]) assert.equal(isValidCidr(text).length, 1, text);
});
