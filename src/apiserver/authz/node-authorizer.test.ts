import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import { NodeAuthorizer } from "./node-authorizer.ts";

test("a node reads what its own pods refer to, as long as they are there, and its own lease", () => {
  let change = (_key: string, _pod: DeepReadonly<Pod> | undefined): void => {};
  const none = { get: () => undefined };
  const pods = {
    onChange(listener: typeof change) {
      change = listener;
    },
  };
  const authorizer = new NodeAuthorizer({ pods, persistentVolumes: none, volumeAttachments: none });
  const may = (node: string, verb: string, resource: string, place: string) => {
    const [namespace = "", name = ""] = place.split("/");
    const user = { name: `system:node:${node}`, groups: ["system:nodes"] };
    const group = resource === "leases" ? "coordination.k8s.io" : "";
    return authorizer.authorize({ user, verb, group, version: "v1", resource, subresource: "", namespace, name }).allowed;
  };
  const volumes = [{ name: "v", secret: { secretName: "s" } }];
  change("ns/p", { metadata: { name: "p", namespace: "ns" }, spec: { nodeName: "n1", containers: [], volumes } });
  assert.equal(may("n1", "get", "secrets", "ns/s"), true);
  assert.equal(may("n2", "get", "secrets", "ns/s"), false);
  assert.equal(may("n1", "get", "secrets", "other/s"), false);
  assert.equal(may("n1", "list", "secrets", "ns/"), false);
  assert.equal(may("n1", "update", "leases", "kube-node-lease/n1"), true);
  assert.equal(may("n1", "update", "leases", "kube-node-lease/n2"), false);
  assert.equal(may("n1", "delete", "nodes", "/n2"), false);
  change("ns/p", undefined);
  assert.equal(may("n1", "get", "secrets", "ns/s"), false);
});
