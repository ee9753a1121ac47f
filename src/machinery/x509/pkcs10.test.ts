import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { describe, it } from "node:test";
import { certificateKeyProblem } from "./certificate-keys.ts";
import { encodePem, pemBlocks } from "./pem.ts";
import { readPkcs10, writePkcs10 } from "./pkcs10.ts";

const keys = {
  RSA3072: generateKeyPairSync("rsa", { modulusLength: 3072 }),
  ECDSAP256: generateKeyPairSync("ec", { namedCurve: "P-256" }),
  ECDSAP384: generateKeyPairSync("ec", { namedCurve: "P-384" }),
  ECDSAP521: generateKeyPairSync("ec", { namedCurve: "P-521" }),
  ED25519: generateKeyPairSync("ed25519"),
};

describe("a certificate request", () => {
  for (const [name, { privateKey, publicKey }] of Object.entries(keys)) {
    it(`shows its key and proves it, which OpenSSL confirms: ${name}`, () => {
      const der = writePkcs10(privateKey);
      const read = readPkcs10(der);
      assert.equal(read?.isProven, true);
      assert.ok(read?.publicKey.equals(publicKey));
      const input = encodePem("CERTIFICATE REQUEST", der);
      execFileSync("openssl", ["req", "-verify", "-noout"], { input, stdio: "pipe" });
    });
  }

  it("that another key has signed is not proven", () => {
    const [own, other] = [writePkcs10(keys.ED25519.privateKey), writePkcs10(generateKeyPairSync("ed25519").privateKey)];
    // Both end in the 64 bytes of their signatures.
    const mixed = Buffer.concat([own.subarray(0, -64), other.subarray(-64)]);
    assert.equal(readPkcs10(mixed)?.isProven, false);
  });

  it("with a time in it that is none is no request", () => {
    const der = writePkcs10(keys.ED25519.privateKey);
    const version = der.indexOf(Buffer.from([0x02, 0x01, 0x00]));
    const mixed = Buffer.concat([der.subarray(0, version), Buffer.of(0x18), der.subarray(version + 1)]);
    assert.equal(readPkcs10(mixed), undefined);
  });

  it("must be one as a whole", () => {
    const der = writePkcs10(keys.ED25519.privateKey);
    for (const wrong of [Buffer.alloc(0), Buffer.from("hello"), der.subarray(1), der.subarray(0, -1), Buffer.concat([der, der])]) {
      assert.equal(readPkcs10(wrong), undefined);
    }
  });
});

describe("keys for pods' certificates", () => {
  it("are of few kinds", () => {
    for (const { publicKey } of Object.values(keys)) assert.equal(certificateKeyProblem(publicKey), undefined);
    const small = generateKeyPairSync("rsa", { modulusLength: 2048 });
    assert.deepEqual(certificateKeyProblem(small.publicKey), {
      value: "2048-bit modulus",
      detail: "RSA keys must have modulus size 3072 or 4096",
    });
    const curve = generateKeyPairSync("ec", { namedCurve: "secp256k1" });
    assert.equal(certificateKeyProblem(curve.publicKey)?.value, "curve secp256k1");
    assert.match(certificateKeyProblem(generateKeyPairSync("x25519").publicKey)?.detail ?? "", /unknown public key type/);
  });
});

describe("PEM", () => {
  it("is read block by block, whatever stands between them", () => {
    const [one, two] = [Buffer.alloc(100, 1), Buffer.alloc(3, 2)];
    const text = `hello\n${encodePem("CERTIFICATE", one)}\n# and\n${encodePem("KEY", two).replaceAll("\n", "\r\n")}bye`;
    assert.deepEqual(pemBlocks(text), [
      { type: "CERTIFICATE", hasHeaders: false, der: one },
      { type: "KEY", hasHeaders: false, der: two },
    ]);
    assert.deepEqual(pemBlocks("no block"), []);
  });

  it("may have headers, which are told", () => {
    const text = encodePem("KEY", Buffer.from("data")).replace("-----\n", "-----\nProc-Type: 4,ENCRYPTED\n\n");
    assert.deepEqual(pemBlocks(text), [{ type: "KEY", hasHeaders: true, der: Buffer.from("data") }]);
  });
});
