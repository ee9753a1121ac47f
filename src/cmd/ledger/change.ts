// The kinds of change that a cluster makes to its host.

export type Change =
  /** A daemon: the process its pid file names, and any other with `argument` among its arguments. */
  | { readonly type: "process"; readonly pidFile: string; readonly argument: string }
  /**
   * containerd's shims, which outlive it: those started with its socket's address, and the sockets of dead shims that were not there
   * when the host's state was written to the file, which ledgers of older versions do not name.
   */
  | { readonly type: "shims"; readonly address: string; readonly hostStateFile?: string }
  /** A cgroup with all below it, in every hierarchy; `path` starts with a slash. What runs in it is killed. */
  | { readonly type: "cgroup"; readonly path: string }
  /** Mounts at or below a directory. */
  | { readonly type: "mounts"; readonly below: string }
  | { readonly type: "netns"; readonly name: string }
  /** The mount that `ip netns add` makes of the directory of namespaces when it makes the first. */
  | { readonly type: "netnsDirectory"; readonly path: string }
  /** An address with its prefix length, on a link that is not ours. */
  | { readonly type: "address"; readonly address: string; readonly link: string }
  | { readonly type: "link"; readonly name: string }
  /** As `ip route delete` takes it, such as `10.244.1.0/24` or `local 192.0.2.0/28 dev lo`. */
  | { readonly type: "route"; readonly destination: string }
  /** nftables tables whose names start with `prefix`. */
  | { readonly type: "nftables"; readonly prefix: string }
  /** A file below /proc/sys and what it held before. */
  | { readonly type: "sysctl"; readonly path: string; readonly previous: string }
  /** A file or directory with all below it. `isData` marks what `down --keep-data` keeps. */
  | { readonly type: "path"; readonly path: string; readonly isData: boolean }
  /** Links by which the CNI plug-in `bandwidth` shapes what pods send, by the results that CNI's library keeps of calls for `containing`. */
  | { readonly type: "bandwidthLinks"; readonly results: string; readonly containing: string }
  /** Files of a directory that is not ours which mention `containing`. */
  | { readonly type: "files"; readonly directory: string; readonly containing: string };

export type ChangeType = Change["type"];

/** Takes one change back; does nothing when it is not there. */
export type Undo = (change: Change) => Promise<void>;
