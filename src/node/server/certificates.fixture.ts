// A certificate authority and certificates for tests, made by openssl.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
}

export interface TestAuthority {
  readonly cert: string;
  /** `subject` in openssl's form: `/O=system:masters/CN=admin`. */
  issue(subject: string): TestCertificate;
}

const KEY_OPTIONS = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "36500"];

function inDirectory<T>(work: (directory: string) => T): T {
  const directory = mkdtempSync(join(tmpdir(), "k8ts-ca-"));
  try {
    return work(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** A certificate for 127.0.0.1, signed by `ca` or by itself. */
function certificate(subject: string, ca: TestCertificate | undefined): TestCertificate {
  return inDirectory((directory) => {
    const file = (name: string) => join(directory, name);
    const extension = ca === undefined ? "basicConstraints=critical,CA:true" : "subjectAltName=IP:127.0.0.1";
    const signer = ca === undefined ? [] : ["-CA", file("ca.crt"), "-CAkey", file("ca.key")];
    writeFileSync(file("ca.crt"), ca?.cert ?? "");
    writeFileSync(file("ca.key"), ca?.key ?? "");
    writeFileSync(file("openssl.cnf"), "[req]\ndistinguished_name = dn\n[dn]\n");
    const output = ["-keyout", file("key"), "-out", file("crt"), "-config", file("openssl.cnf")];
    execFileSync("openssl", ["req", "-x509", ...KEY_OPTIONS, "-subj", subject, "-addext", extension, ...signer, ...output], {
      stdio: "ignore",
    });
    return { cert: readFileSync(file("crt"), "utf8"), key: readFileSync(file("key"), "utf8") };
  });
}

export function createAuthority(): TestAuthority {
  const ca = certificate("/CN=test-ca", undefined);
  return { cert: ca.cert, issue: (subject) => certificate(subject, ca) };
}
