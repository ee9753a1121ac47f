import assert from "node:assert/strict";
import { test } from "node:test";
import { parseRequest } from "../front/request-info.ts";
import { seatsOf, workOfWrite } from "./work-estimator.ts";

const seats = (url: string, { method = "GET", objects = 200, bytes = 4_000, maxSeats = 100, isStored = true } = {}) =>
  seatsOf(
    parseRequest(method, `/api/v1/pods${url}`) ?? assert.fail(),
    isStored ? { objects, bytes: objects * bytes } : undefined,
    maxSeats,
  );

test("a list takes a seat for every 100 kB", () => {
  assert.equal(seats(""), 8);
  assert.equal(seats("", { objects: 201 }), 9);
  assert.equal(seats("?labelSelector=app=web"), 8);
});

test("a list from the cache takes no more than ten, one from the store as many as its level allows", () => {
  assert.equal(seats("", { objects: 10_000 }), 10);
  assert.equal(seats("?resourceVersion=7&resourceVersionMatch=Exact", { objects: 1_000 }), 40);
  assert.equal(seats("?continue=abc", { objects: 10_000, maxSeats: 37 }), 37);
});

test("a limit narrows a list, but not below half of what a selector must look at in the store", () => {
  assert.equal(seats("?limit=50"), 2);
  assert.equal(seats("?limit=50&resourceVersion=7"), 2);
  assert.equal(seats("?limit=50&resourceVersion=7&labelSelector=app=web"), 4);
});

test("a list of one name, of nothing, or of what is stored elsewhere takes one seat", () => {
  assert.equal(seats("?fieldSelector=metadata.name=web", { objects: 10_000 }), 1);
  assert.equal(seats("", { objects: 0 }), 1);
  assert.equal(seats("", { isStored: false }), 1);
});

test("a watch is as wide as a list while it sends what is there, and else takes one seat", () => {
  assert.equal(seats("?watch=1"), 8);
  assert.equal(seats("?watch=1&resourceVersion=0"), 8);
  assert.equal(seats("?watch=1&resourceVersion=5&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"), 8);
  assert.equal(seats("?watch=1&resourceVersion=5"), 1);
});

test("all other requests take one seat", () => {
  assert.equal(seats("/web"), 1);
  assert.equal(seats("", { method: "DELETE" }), 1);
});

test("a write takes a seat for every ten watchers, for the time of one event, and longer where it may not be so wide", () => {
  assert.deepEqual(workOfWrite(9, 100), { seats: 1, afterwardsMs: 0 });
  assert.deepEqual(workOfWrite(10, 100), { seats: 1, afterwardsMs: 5 });
  assert.deepEqual(workOfWrite(41, 100), { seats: 5, afterwardsMs: 5 });
  assert.deepEqual(workOfWrite(500, 100), { seats: 10, afterwardsMs: 25 });
  assert.deepEqual(workOfWrite(40, 2), { seats: 2, afterwardsMs: 10 });
});
