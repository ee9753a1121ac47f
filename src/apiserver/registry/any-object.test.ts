import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { objectOf } from "../../api/arbitrary-object.fixture.ts";
import { builtInCatalog, type Resource, type UncheckedObject } from "../../api/index.ts";
import { StatusError } from "../../machinery/index.ts";
import { CoreFixture } from "./testing/core-fixture.ts";

const OBJECTS = 12;
const DEPTH = 6;

/** What is wrong with the answer to an object, if the fault is not the object's. */
async function faultOf(server: CoreFixture, { group, version, resource }: Resource, object: object): Promise<string | undefined> {
  const scope = server.scope(group === "" ? resource : `${group}/${version}/${resource}`);
  const body = { ...object, kind: "", apiVersion: "", metadata: { name: "a" } } as UncheckedObject;
  const error: unknown = await server.core.create(scope, body, { dryRun: true }).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error === undefined || (error instanceof StatusError && error.code < 500) ? undefined : String(error);
}

test("an object of any kind, whatever it holds and whatever is missing, is taken or refused, never too much for the server", async () => {
  await using server = await CoreFixture.start();
  await server.create("serviceaccounts", { metadata: { name: "default" } });
  for (const resource of builtInCatalog().all()) {
    if (!resource.verbs.includes("create")) continue;
    const objects = [{}, { spec: {} }, ...fc.sample(objectOf(resource.facts, DEPTH), { numRuns: OBJECTS, seed: 3 })];
    for (const object of objects)
      assert.equal(await faultOf(server, resource, object), undefined, `${resource.kind} ${JSON.stringify(object)}`);
  }
});
