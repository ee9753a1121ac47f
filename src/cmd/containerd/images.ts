// Images in a node's containerd, through its own client `ctr`.
import { createReadStream } from "node:fs";
import type { ImageMounter } from "../../node/index.ts";
import { defaultName, nameArchive } from "../images/name-archive.ts";
import { normaliseReference } from "../images/reference.ts";
import { type CommandOptions, runCommand, tryCommand } from "../system/command.ts";

export interface ImageRow {
  readonly reference: string;
  readonly digest: string;
  readonly size: string;
}

/** Imports an OCI or Docker archive; returns the full names of its images. */
export async function importArchive(socket: string, archive: string, signal?: AbortSignal): Promise<string[]> {
  const input = nameArchive(createReadStream(archive), defaultName(archive));
  const output = await ctr(socket, ["images", "import", "-"], { input, ...(signal === undefined ? {} : { signal }) });
  return [...output.matchAll(/^unpacking (\S+) /gm)].map((match) => match[1] ?? "");
}

/** The images that have a name, each once. */
export async function listImages(socket: string): Promise<ImageRow[]> {
  const [, ...lines] = (await ctr(socket, ["images", "list"])).trim().split("\n");
  return lines
    .map((line) => line.split(/\s+/))
    .filter(([reference = ""]) => reference !== "" && !reference.startsWith("sha256:"))
    .map(([reference = "", , digest = "", size = "", unit = ""]) => ({ reference, digest, size: `${size} ${unit}` }));
}

export async function hasImage(socket: string, reference: string): Promise<boolean> {
  return (await ctr(socket, ["images", "list", "-q", `name==${reference}`])).trim() !== "";
}

/**
 * Image volumes. containerd before 2.1 does not know them, so a view of the image's snapshot is mounted for each; the
 * label keeps the view from being collected when the lease of `ctr` runs out.
 */
export function imageMounter(socket: string): ImageMounter {
  return {
    async mount(reference, target) {
      await ctr(socket, ["images", "mount", normaliseReference(reference), target]);
      await ctr(socket, ["snapshots", "label", target, "containerd.io/gc.root=volume"]);
    },
    async unmount(target) {
      await tryCommand([...client(socket), "images", "unmount", "--rm", target]);
      await tryCommand([...client(socket), "leases", "delete", target]);
    },
  };
}

function client(socket: string): string[] {
  return ["ctr", "--address", socket, "--namespace", "k8s.io"];
}

function ctr(socket: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  return runCommand([...client(socket), ...args], options);
}
