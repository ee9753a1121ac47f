import assert from "node:assert/strict";
import { test } from "node:test";
import { AgentWorld } from "./agent.fixture.ts";
import type { ContentHost } from "./volumes/content-source.ts";
import { VolumeError, type VolumeManager } from "./volumes/volume-manager.ts";

test("a pod whose volumes lack something is tried again at once when that has come", async () => {
  await using world = new AgentWorld();
  let isThere = false;
  let tries = 0;
  const volumes: VolumeManager = {
    mountPod: async () => {
      tries++;
      if (!isThere) throw new VolumeError("v", "credential bundle is not issued yet");
      return new Map([["v", "/volumes/v"]]);
    },
    subPath: async () => "/volumes/v",
    update: async () => {},
    unmountPod: async () => {},
    listPods: async () => [],
  };
  const hosts: ContentHost[] = [];
  world.start({ volumes, contentSources: [{ start: (host) => hosts.push(host) }] });
  await world.createPod("web", {});
  await world.clock.advance(20_000);
  assert.equal(world.phase("web"), "Pending");
  const before = tries;
  isThere = true;
  hosts[0]?.onChange(world.pod("web")?.metadata.uid ?? "");
  await world.clock.advance(1_000);
  assert.equal(tries, before + 1);
  assert.equal(world.phase("web"), "Running");
  const [event] = world.events.filter(({ reason }) => reason === "FailedMount");
  assert.equal(event?.message, 'MountVolume.SetUp failed for volume "v" : credential bundle is not issued yet');
});
