import { VirtualClock } from "../../base/index.ts";
import { storeSuite } from "../store.suite.ts";
import { MemoryStore } from "./memory-store.ts";

storeSuite("MemoryStore", async () => {
  const clock = new VirtualClock();
  const store = new MemoryStore({ clock });
  return { store, lifetimeSeconds: 60, pass: (durationMs) => clock.advance(durationMs), dispose: () => store.close() };
});
