import assert from "node:assert/strict";
import { test } from "node:test";
import { parseEtcdUrl } from "./store-url.ts";

test("an etcd is named by its members and a prefix", () => {
  assert.deepEqual(parseEtcdUrl("etcd://10.0.0.1:2379,10.0.0.2:2380,db.example/clusters/one/"), {
    endpoints: ["10.0.0.1:2379", "10.0.0.2:2380", "db.example:2379"],
    prefix: "/clusters/one",
  });
  assert.deepEqual(parseEtcdUrl("etcd://[::1]:2379"), { endpoints: ["[::1]:2379"], prefix: "/k8ts" });
});

test("what names no etcd is refused with a sentence", () => {
  for (const text of ["", "lmdb", "http://a:2379", "etcd://", "etcd://a b:2379", "etcd://a:2379,,b"]) {
    assert.throws(() => parseEtcdUrl(text), /names no etcd: write etcd:\/\/host:2379/);
  }
});
