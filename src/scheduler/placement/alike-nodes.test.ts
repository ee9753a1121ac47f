import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "../../base/index.ts";
import type { PodInfo } from "../cluster/pod-info.ts";
import { TestCluster, testNode, testPodInfo } from "../scheduler.fixture.ts";

const HOSTNAME = "kubernetes.io/hostname";
const labels = { app: "web" };
const own = (topologyKey: string) => [{ topologyKey, labelSelector: { matchLabels: labels } }];
const inZoneOfOwn = { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: own("zone") } };
const awayFromOwn = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: own(HOSTNAME) } };

/** Nodes of two zones, in turn. */
function zones(count: number): TestCluster {
  const nodes = Array.from({ length: count }, (_, index) => testNode(`node-${index}`, { labels: { zone: `z${index % 2}` } }));
  return new TestCluster({ nodes });
}

function webPod(affinity: object): PodInfo {
  return testPodInfo({ labels, requests: { cpu: "100m" }, spec: { affinity } });
}

const random = new SeededRandom(1);
const imagePod = () => testPodInfo({ spec: { containers: [{ name: "c", image: "web:1", resources: { requests: { cpu: "100m" } } }] } });

/** Places pods of that kind and takes them away again; answers where the last ones went. */
function placesOf(test: TestCluster, affinity: object, count: number): string[] {
  const names = Array.from({ length: count + 20 }, () => {
    const pod = webPod(affinity);
    const name = test.place(pod);
    test.cluster.removePod(pod.uid);
    return name;
  });
  return names.slice(-count);
}

describe("nodes that are alike for a pod", () => {
  it("are compared with all others, however many there are", () => {
    const test = zones(2000);
    for (let index = 0; index < 2000; index++) if (index !== 42) test.cluster.setPod(testPodInfo(), `node-${index}`);
    test.cluster.setPod(webPod({}), "node-0");
    assert.deepEqual([...new Set(placesOf(test, inZoneOfOwn, 20))], ["node-42"]);
  });

  it("are told apart by the images that they have", () => {
    const images = [{ names: ["web:1"], sizeBytes: 500 * 2 ** 20 }];
    const test = new TestCluster({ nodes: Array.from({ length: 2000 }, (_, index) => testNode(`node-${index}`, { images })) });
    for (let index = 0; index < 2000; index++) if (index !== 42) test.cluster.setPod(testPodInfo(), `node-${index}`);
    test.cluster.setNode(testNode("bare"));
    const names = Array.from({ length: 40 }, () => test.placer.place(imagePod(), random));
    assert.deepEqual([...new Set(names.slice(20).map((found) => ("name" in found ? found.name : "none")))], ["node-42"]);
  });

  it("get a pod by chance among equals, whichever kind they are of", () => {
    const test = zones(4);
    const preferred = [{ weight: 1, podAffinityTerm: { topologyKey: "zone", labelSelector: { matchLabels: labels } } }];
    const affinity = { podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: preferred } };
    for (const name of ["node-0", "node-1", "node-2", "node-3"]) test.cluster.setPod(webPod({}), name);
    assert.deepEqual([...new Set(placesOf(test, affinity, 100))].sort(), ["node-0", "node-1", "node-2", "node-3"]);
  });

  it("are another kind once a pod has come", () => {
    const test = zones(1000);
    const names = Array.from({ length: 1000 }, () => test.place(webPod(awayFromOwn)));
    assert.equal(new Set(names).size, 1000);
    assert.match(test.place(webPod(awayFromOwn)), /^0\/1000 nodes are available: 1000 node\(s\) didn't match pod anti-affinity rules\.$/);
  });

  it("are judged by their domain as soon as two share what was each one's own", () => {
    const test = zones(6);
    placesOf(test, awayFromOwn, 1);
    for (const index of [4, 5]) test.cluster.setNode(testNode(`node-${index}`, { labels: { zone: "z0", [HOSTNAME]: "both" } }));
    const names = Array.from({ length: 6 }, () => test.place(webPod(awayFromOwn)));
    assert.equal(names.filter((name) => name === "node-4" || name === "node-5").length, 1);
    assert.equal(names.filter((name) => name.startsWith("0/6")).length, 1);
  });
});
