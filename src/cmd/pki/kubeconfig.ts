// A kubeconfig with everything inside it.
import { readFileSync } from "node:fs";
import { stringify } from "yaml";
import type { FilePair } from "./cluster-pki.ts";

export interface KubeconfigOptions {
  readonly server: string;
  readonly caFile: string;
  readonly client: FilePair;
  readonly user: string;
}

/** The YAML text of a kubeconfig for one user of the cluster `k8ts`. */
export function renderKubeconfig(options: KubeconfigOptions): string {
  const embed = (file: string) => readFileSync(file).toString("base64");
  return stringify(
    {
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "k8ts", cluster: { server: options.server, "certificate-authority-data": embed(options.caFile) } }],
      users: [
        {
          name: options.user,
          user: {
            "client-certificate-data": embed(options.client.certificateFile),
            "client-key-data": embed(options.client.privateKeyFile),
          },
        },
      ],
      contexts: [{ name: "k8ts", context: { cluster: "k8ts", user: options.user } }],
      "current-context": "k8ts",
    },
    { lineWidth: 0 },
  );
}
