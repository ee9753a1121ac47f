import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ControllerRevision } from "../api/types/apps/v1.ts";
import { expiredRevisions, planRevisions, type RevisionedSet, templateOf, templatePatch } from "./controller-revisions.ts";

const form = { owner: { apiVersion: "apps/v1", kind: "DaemonSet", name: "agent", uid: "u" }, hashLabel: "controller-revision-hash" };
const template = (image: string) => ({ metadata: { labels: { app: "agent" } }, spec: { containers: [{ name: "c", image }] } });

function set(image: string, parts: { revisionHistoryLimit?: number; collisionCount?: number } = {}): RevisionedSet {
  const { collisionCount, ...spec } = parts;
  return { metadata: { name: "agent", namespace: "default" }, spec: { template: template(image), ...spec }, status: { collisionCount } };
}

const revision = (image: string, number: number): ControllerRevision => ({
  metadata: { name: `agent-${image}` },
  data: templatePatch(template(image)),
  revision: number,
});

describe("the history of a set", () => {
  it("gets a revision for each new template, numbered on", () => {
    const plan = planRevisions(set("v2"), [revision("v1", 1)], form);
    assert.deepEqual([plan.write, plan.current.revision, plan.old.map((each) => each.revision)], ["create", 2, [1]]);
    assert.deepEqual(templateOf(plan.current), template("v2"));
    assert.equal(plan.current.metadata.name, `agent-${plan.current.metadata.labels?.["controller-revision-hash"]}`);
    assert.equal(
      planRevisions(set("v2"), [revision("v1", 1), { ...plan.current, metadata: { ...plan.current.metadata } } as ControllerRevision], form)
        .write,
      undefined,
    );
  });

  it("raises the number of a template that returns", () => {
    const plan = planRevisions(set("v1"), [revision("v1", 1), revision("v2", 2)], form);
    assert.deepEqual([plan.write, plan.current.metadata.name, plan.current.revision], ["renumber", "agent-v1", 3]);
  });

  it("is told of revisions that remember the same template: the newest stays", () => {
    const twin = { ...revision("v1", 3), metadata: { name: "twin" } };
    const plan = planRevisions(set("v1"), [twin, revision("v1", 1), revision("v2", 2)], form);
    assert.deepEqual([plan.current.metadata.name, plan.write], ["twin", undefined]);
    assert.deepEqual(
      plan.duplicates.map(({ metadata }) => metadata.name),
      ["agent-v1"],
    );
    assert.deepEqual(planRevisions(set("v3"), [twin, revision("v1", 1)], form).duplicates, []);
  });

  it("gets another name after a collision", () => {
    const nameAfter = (collisionCount: number) => planRevisions(set("v1", { collisionCount }), [], form).current.metadata.name;
    assert.notEqual(nameAfter(0), nameAfter(1));
  });

  it("loses the oldest revisions beyond the limit, but none that a pod has", () => {
    const old = [revision("v1", 1), revision("v2", 2), revision("v3", 3)];
    assert.deepEqual(
      expiredRevisions(set("v4", { revisionHistoryLimit: -1 }), old, () => false),
      [],
    );
    const expired = (isLive: (each: { readonly revision: number }) => boolean) =>
      expiredRevisions(set("v4", { revisionHistoryLimit: 1 }), old, isLive).map((each) => each.revision);
    assert.deepEqual(
      expired(() => false),
      [1, 2],
    );
    assert.deepEqual(
      expired((each) => each.revision === 1),
      [2, 3],
    );
  });
});
