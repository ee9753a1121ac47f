// Mounting file systems by the host's `mount` and `umount`; every mount is told to the ledger before it is made.
import { readFile } from "node:fs/promises";
import { CommandShell } from "./command-shell.ts";

export interface MountRequest {
  /** A device, a path to bind, or any word for file systems without one. */
  readonly source: string;
  readonly target: string;
  /** `tmpfs`, `hugetlbfs`, or `bind`. */
  readonly type: string;
  readonly options: readonly string[];
}

export interface Mounter {
  mount(request: MountRequest): Promise<void>;
  /** Succeeds when nothing is mounted there. */
  unmount(target: string): Promise<void>;
  /** What is mounted at `directory` and under it, outermost first. */
  mountPoints(directory: string): Promise<readonly string[]>;
}

export interface MountLedger {
  /** Called before a mount is made. */
  mounting(target: string): void;
  /** Called after it is gone. */
  unmounted(target: string): void;
}

export class HostMounter implements Mounter {
  readonly #shell = new CommandShell();
  readonly #ledger: MountLedger | undefined;

  constructor(ledger?: MountLedger) {
    this.#ledger = ledger;
  }

  async mount({ source, target, type, options }: MountRequest): Promise<void> {
    this.#ledger?.mounting(target);
    const kind = type === "bind" ? ["--bind"] : ["-t", type];
    const flags = options.length === 0 ? [] : ["-o", options.join(",")];
    // Without canonicalising, a path through /proc/<pid>/fd stays bound to the file that was opened.
    await this.#shell.run(["mount", "--no-canonicalize", ...kind, ...flags, source, target]);
  }

  async unmount(target: string): Promise<void> {
    if ((await this.mountPoints(target)).includes(target)) await this.#shell.run(["umount", target]);
    this.#ledger?.unmounted(target);
  }

  async mountPoints(directory: string): Promise<readonly string[]> {
    return parseMountPoints(await readFile("/proc/self/mountinfo", "utf8"), directory);
  }
}

/** The mount points of a mountinfo file at `directory` and under it. */
export function parseMountPoints(mountinfo: string, directory: string): readonly string[] {
  const points = mountinfo.split("\n").map((line) => unescapeOctal(line.split(" ")[4] ?? ""));
  return points.filter((point) => point === directory || point.startsWith(`${directory}/`)).sort((a, b) => a.length - b.length);
}

function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
