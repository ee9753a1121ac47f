import assert from "node:assert/strict";
import { it } from "node:test";
import { fromKubeconfig, KubeconfigError, parseKubeconfig } from "./kubeconfig.ts";

const withServer = (server: string) =>
  `{current-context: c, contexts: [{name: c, context: {cluster: k, user: u}}], clusters: [{name: k, cluster: {server: "${server}"}}]}`;

it("a kubeconfig that cannot be read is refused with what is wrong about it", () => {
  const refusals = {
    "{": /the kubeconfig is no YAML/,
    "": /the kubeconfig is empty/,
    "contexts: {c: {}}": /contexts must be a list of a name and a context each/,
    "users: [{name: u}]": /users must be a list of a name and a user each/,
    [withServer("nowhere")]: /no server's address, but "nowhere"/,
  };
  for (const [yaml, message] of Object.entries(refusals)) {
    assert.throws(
      () => fromKubeconfig(parseKubeconfig(yaml)),
      (error) => error instanceof KubeconfigError && message.test(error.message),
      yaml,
    );
  }
  assert.equal(fromKubeconfig(parseKubeconfig(withServer("https://a:1"))).namespace, "default");
});
