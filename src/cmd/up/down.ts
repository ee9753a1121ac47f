// `k8ts down`: takes back everything in the ledger.
import { rmSync } from "node:fs";
import { hostUndo } from "../ledger/undo.ts";
import type { HostCluster } from "./cluster.ts";

/** Harmless where there is no cluster. With `isKeepingData` the next `up` finds everything again. */
export async function bringDown(cluster: HostCluster, options: { readonly isKeepingData: boolean }): Promise<void> {
  await cluster.ledger.undoAll(hostUndo(cluster.clock), (change) => options.isKeepingData && change.type === "path" && change.isData);
  if (!options.isKeepingData && cluster.ledger.changes.length === 0) rmSync(cluster.layout.ledgerFile, { force: true });
}
