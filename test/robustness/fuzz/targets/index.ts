// All decoders that are fuzzed.
import type { FuzzTarget } from "../target.ts";
import { bodyTargets } from "./bodies.ts";
import { fileTargets } from "./files.ts";
import { packetTargets } from "./packets.ts";
import { patchTargets } from "./patches.ts";
import { textTargets } from "./texts.ts";

export const targets: readonly FuzzTarget[] = [...bodyTargets, ...patchTargets, ...textTargets, ...fileTargets, ...packetTargets];
