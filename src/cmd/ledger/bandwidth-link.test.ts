import assert from "node:assert/strict";
import { test } from "node:test";
import { bandwidthLink } from "./undo.ts";

test("the link of a sandbox is named by a hash of its network and id, cut to what the kernel takes", () => {
  assert.match(bandwidthLink(JSON.stringify({ networkName: "k8ts", containerId: "0123abcd" })) ?? "", /^bwp[0-9a-f]{12}$/);
  assert.notEqual(
    bandwidthLink(JSON.stringify({ networkName: "k8ts", containerId: "a" })),
    bandwidthLink(JSON.stringify({ networkName: "k8ts", containerId: "b" })),
  );
});

test("what is no result of CNI's library names no link", () => {
  for (const text of ["", "{", "{}", '{"networkName":1,"containerId":"a"}', "null"]) assert.equal(bandwidthLink(text), undefined);
});
