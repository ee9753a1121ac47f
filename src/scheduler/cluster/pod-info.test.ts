import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { testPod } from "../scheduler.fixture.ts";
import { countsAlike, podInfo, podInfoOn } from "./pod-info.ts";

const zone = { "topology.kubernetes.io/zone": "z1" };

describe("a pod on its way to a node", () => {
  const pod = testPod({ name: "p", labels: { app: "web" } });
  const assumed = podInfoOn(podInfo(pod), { ...zone, disk: "ssd" });

  it("counts with the labels that the server gives it, so that the binding changes nothing", () => {
    const bound = testPod({ name: "p", labels: { ...zone, app: "web" }, spec: { nodeName: "a" } });
    assert.deepEqual(assumed.labels, bound.metadata.labels);
    assert.equal(assumed.groupKey, podInfo(bound).groupKey);
    assert.equal(countsAlike(assumed.pod, bound), true);
  });

  it("counts anew when the server has given it other labels", () => {
    assert.equal(countsAlike(assumed.pod, testPod({ name: "p", labels: { app: "web" } })), false);
  });

  it("stays as it is on a node without such labels", () => {
    const info = podInfo(pod);
    assert.equal(podInfoOn(info, { disk: "ssd" }), info);
  });
});
