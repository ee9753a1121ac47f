import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../../api/types/core/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import { NodeAuthorizer } from "./node-authorizer.ts";
import { requestSelectors } from "./request-selectors.ts";

const GROUPS: Readonly<Record<string, string>> = {
  leases: "coordination.k8s.io",
  resourceslices: "resource.k8s.io",
  podcertificaterequests: "certificates.k8s.io",
};
const pool = { name: "p", generation: 1, resourceSliceCount: 1 };

function fixture() {
  const listeners: ((key: string, pod: DeepReadonly<Pod> | undefined) => void)[] = [];
  const authorizer = new NodeAuthorizer({
    pods: { onChange: (listener) => void listeners.push(listener) },
    persistentVolumes: { get: () => undefined },
    volumeAttachments: { get: () => undefined },
    resourceSlices: { get: (name) => ({ metadata: { name }, spec: { nodeName: name, driver: "d", pool } }) },
    podCertificateRequests: { get: () => undefined },
  });
  const may = (node: string, verb: string, resource: string, place: string, fieldSelector = "") => {
    const [namespace = "", name = ""] = place.split("/");
    const user = { name: `system:node:${node}`, groups: ["system:nodes"] };
    const group = GROUPS[resource] ?? "";
    const selectors = requestSelectors(verb, { fieldSelector });
    return authorizer.authorize({ user, verb, group, version: "v1", resource, subresource: "", namespace, name, ...selectors });
  };
  const change = (key: string, pod: Pod | undefined) => {
    for (const listener of listeners) listener(key, pod);
  };
  return { may, change };
}

test("a node reads what its own pods refer to, as long as they are there, and its own lease", () => {
  const { may: decide, change } = fixture();
  const may = (...question: Parameters<typeof decide>) => decide(...question).allowed;
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

test("a node asks for many objects only by its own name, and is told so", () => {
  const { may, change } = fixture();
  change("ns/p", { metadata: { name: "p", namespace: "ns" }, spec: { nodeName: "n1", containers: [] } });
  const ofOther = "spec.nodeName=n2";
  const ofOwn = "status.phase!=Failed,spec.nodeName=n1";
  assert.equal(may("n1", "list", "pods", "/", ofOwn).allowed, true);
  assert.equal(may("n1", "watch", "pods", "ns/p").allowed, true);
  assert.equal(may("n1", "get", "pods", "ns/p").allowed, true);
  assert.equal(may("n2", "get", "pods", "ns/p").reason, "no relationship found between node 'n2' and this object");
  for (const selector of ["", ofOther, "spec.nodeName!=n1", "spec.nodeName="]) {
    assert.deepEqual(may("n1", "watch", "pods", "/", selector), {
      allowed: false,
      reason: "can only list/watch pods with spec.nodeName field selector",
    });
  }
  assert.equal(may("n1", "watch", "nodes", "/n1").allowed, true);
  assert.equal(may("n1", "list", "nodes", "/").reason, "node 'n1' cannot read all nodes, only its own Node object");
  assert.equal(may("n1", "get", "nodes", "/n2").reason, "node 'n1' cannot read 'n2', only its own Node object");
  assert.equal(may("n1", "deletecollection", "resourceslices", "/", ofOwn).allowed, true);
  assert.match(may("n1", "deletecollection", "resourceslices", "/").reason, /^can only list\/watch\/deletecollection resourceslices with/);
  assert.equal(may("n1", "update", "resourceslices", "/n1").allowed, true);
  assert.equal(may("n1", "update", "resourceslices", "/n2").allowed, false);
  assert.equal(may("n1", "list", "podcertificaterequests", "/", ofOwn).allowed, true);
  assert.equal(may("n1", "list", "podcertificaterequests", "/").allowed, false);
});
