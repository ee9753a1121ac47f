// All decoders that are fuzzed.
import type { FuzzTarget } from "../target.ts";
import { bodyTargets } from "./bodies.ts";
import { certificateTargets } from "./certificates.ts";
import { fileTargets } from "./files.ts";
import { packetTargets } from "./packets.ts";
import { patchTargets } from "./patches.ts";
import { snapshotTargets } from "./snapshots.ts";
import { textTargets } from "./texts.ts";
import { webSocketTargets } from "./web-sockets.ts";

export const targets: readonly FuzzTarget[] = [
  ...bodyTargets,
  ...patchTargets,
  ...textTargets,
  ...fileTargets,
  ...packetTargets,
  ...certificateTargets,
  ...snapshotTargets,
  ...webSocketTargets,
];
