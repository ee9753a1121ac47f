import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { stringify } from "yaml";
import { setUpAuthorizers } from "./authorization.ts";

const directory = mkdtempSync(join(tmpdir(), "k8ts-authorization-"));
after(() => rmSync(directory, { recursive: true }));

/** A configuration with one webhook, which is found by a kubeconfig with this user. */
function configuration(user: object): string {
  const kubeConfigFile = join(directory, "hook.kubeconfig");
  const kubeconfig = {
    clusters: [{ name: "hook", cluster: { server: "https://hook/authorize", "certificate-authority": "ca.pem" } }],
    users: [{ name: "server", user }],
    contexts: [{ name: "hook", context: { cluster: "hook", user: "server" } }],
    "current-context": "hook",
  };
  const webhook = {
    timeout: "3s",
    subjectAccessReviewVersion: "v1",
    failurePolicy: "NoOpinion",
    connectionInfo: { type: "KubeConfigFile", kubeConfigFile },
  };
  const authorizers = [
    { type: "RBAC", name: "rbac" },
    { type: "Webhook", name: "hook", webhook },
  ];
  for (const name of ["ca", "cert", "key"]) writeFileSync(join(directory, `${name}.pem`), name);
  writeFileSync(kubeConfigFile, stringify(kubeconfig));
  return stringify({ apiVersion: "apiserver.config.k8s.io/v1", kind: "AuthorizationConfiguration", authorizers });
}

test("a webhook is found and believed as its kubeconfig says, with files beside it", () => {
  const [first, second] = setUpAuthorizers(configuration({ token: "t", "client-certificate": "cert.pem", "client-key": "key.pem" }));
  assert.deepEqual(first, { type: "RBAC" });
  assert.ok(second?.type === "Webhook");
  assert.deepEqual(second.webhook.connection, {
    url: "https://hook/authorize",
    ca: "ca",
    bearerToken: "t",
    clientCertificate: { cert: "cert", key: "key" },
  });
});

test("a kubeconfig that cannot be followed is named with what is wrong", () => {
  assert.throws(() => setUpAuthorizers(configuration({ tokenFile: "token" })), {
    code: "AUTHORIZATION_CONFIGURATION",
    message:
      /authorizers\[1\].connectionInfo.kubeConfigFile: Invalid value: ".*hook.kubeconfig": error loading file: tokenFile is not supported/,
  });
});
