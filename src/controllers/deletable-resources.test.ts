import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { builtInCatalog, GrowingCatalog, type Resource } from "../api/index.ts";
import { deletableResources } from "./deletable-resources.ts";

const idOf = ({ group, version, resource }: Resource) => `${group}/${version}/${resource}`;

describe("the resources that can be deleted", () => {
  it("are there once each, as they are stored", () => {
    const found = deletableResources(builtInCatalog()).map(idOf);
    const of = (plural: string) => found.filter((id) => id.endsWith(`/${plural}`));
    assert.deepEqual(of("horizontalpodautoscalers"), ["autoscaling/v2/horizontalpodautoscalers"]);
    assert.deepEqual(of("events"), ["/v1/events"]);
    assert.deepEqual(of("clustertrustbundles"), ["certificates.k8s.io/v1beta1/clustertrustbundles"]);
    assert.deepEqual(of("tokenreviews"), []);
  });

  it("are there as they are served when they are stored in a version that is not", () => {
    const example = (version: string): Resource => ({ ...pods, group: "example.com", version, resource: "widgets" });
    const pods = builtInCatalog().find("", "v1", "pods") ?? assert.fail("no pods");
    const form = { resource: example("v3"), toStored: (object: never) => object, fromStored: (object: never) => object };
    const catalog = new GrowingCatalog(["v1", "v2"].map((version) => ({ ...example(version), storedAs: form })));
    assert.deepEqual(deletableResources(catalog).map(idOf), ["example.com/v1/widgets"]);
  });
});
