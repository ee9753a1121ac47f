import assert from "node:assert/strict";
import { test } from "node:test";
import { parseRequest } from "../front/request-info.ts";
import { WatchTracker } from "./watch-tracker.ts";

const info = (url: string, method = "GET") => parseRequest(method, url) ?? assert.fail();

test("a write is heard of by the watchers of its resource, namespace and name, while they watch", () => {
  const tracker = new WatchTracker();
  const ends = [
    "/api/v1/configmaps?watch=1",
    "/api/v1/namespaces/dev/configmaps?watch=1",
    "/api/v1/namespaces/dev/configmaps?watch=1&fieldSelector=metadata.name=web",
    "/api/v1/watch/namespaces/dev/configmaps/web",
    "/api/v1/namespaces/prod/configmaps?watch=1",
    "/api/v1/secrets?watch=1",
  ].map((url) => tracker.begin(info(url)));
  const heard = (url: string, method: string) => tracker.interested(info(url, method));
  assert.equal(heard("/api/v1/namespaces/dev/configmaps/web", "PUT"), 4);
  assert.equal(heard("/api/v1/namespaces/dev/configmaps/other", "DELETE"), 2);
  assert.equal(heard("/api/v1/namespaces/dev/configmaps", "POST"), 2);
  assert.equal(heard("/api/v1/namespaces/dev/services", "POST"), 0);
  for (const end of ends) end();
  assert.equal(heard("/api/v1/namespaces/dev/configmaps/web", "PUT"), 0);
});

test("the watches of nodes on their own pods do not count", () => {
  const tracker = new WatchTracker();
  tracker.begin(info("/api/v1/pods?watch=1&fieldSelector=spec.nodeName%3Dn1"));
  assert.equal(tracker.interested(info("/api/v1/namespaces/dev/pods/web", "PATCH")), 0);
});

test("a watcher of all objects without a namespace is counted once", () => {
  const tracker = new WatchTracker();
  tracker.begin(info("/api/v1/nodes?watch=1"));
  assert.equal(tracker.interested(info("/api/v1/nodes/n1", "PATCH")), 1);
});
