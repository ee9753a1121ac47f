// `k8ts reset`: takes the cluster down and, when asked to, compares the host with what it was before the first `up`.

import { readJson, writePrivate } from "../system/files.ts";
import type { HostCluster } from "../up/cluster.ts";
import { bringDown } from "../up/down.ts";
import { differences, type HostState, lookAtHostState } from "./host-state.ts";

/** Remembers the host as it is, unless an earlier `up` has. Installed packages are not changes to take back: call it after them. */
export async function rememberHost({ layout }: HostCluster): Promise<void> {
  if (readJson(layout.hostStateFile) !== undefined) return;
  const state = await lookAtHostState([layout.dataDirectory, layout.runDirectory]);
  writePrivate(layout.hostStateFile, JSON.stringify(state));
}

/** Takes everything back; answers the differences to the host before, undefined when it is not known how that was. */
export async function reset(cluster: HostCluster): Promise<readonly string[] | undefined> {
  const { hostStateFile, dataDirectory, runDirectory } = cluster.layout;
  const before = readJson<HostState>(hostStateFile);
  await bringDown(cluster, { isKeepingData: false });
  return before && differences(before, await lookAtHostState([dataDirectory, runDirectory]));
}
