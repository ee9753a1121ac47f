import { resources } from "../../api/index.ts";
import type { Client } from "../../client/index.ts";
import type { Plugin } from "../framework/plugin.ts";

/** Binds pods by posting a Binding. */
export function defaultBinder(client: Client): Plugin {
  return {
    name: "DefaultBinder",
    bind: async ({ pod, uid }, nodeName, signal) => {
      const { namespace = "", name = "" } = pod.metadata;
      const binding = {
        apiVersion: "v1",
        kind: "Binding",
        metadata: { name, namespace, uid },
        target: { kind: "Node", name: nodeName },
      };
      await client.createSubresource(resources.pods, name, "binding", binding, { namespace, signal });
    },
  };
}
