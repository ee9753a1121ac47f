// Files of Debian packages that are not installed: one that would exclude what is, or whose service nobody wants.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** Where a file of a package lies, below a directory into which the package is unpacked when the file is not there. */
export function fileOfPackage(name: string, file: string, directory: string): string {
  const path = join(directory, file);
  if (existsSync(path)) return path;
  mkdirSync(directory, { recursive: true });
  const download = () =>
    execFileSync("apt-get", ["-q", "-o", "APT::Sandbox::User=root", "download", name], { cwd: directory, stdio: "pipe" });
  try {
    download();
  } catch {
    execFileSync("apt-get", ["-q", "update"], { stdio: "pipe" });
    download();
  }
  const archive = readdirSync(directory).find((entry) => entry.endsWith(".deb"));
  if (archive === undefined) throw new Error(`apt-get downloaded no package into ${directory}`);
  execFileSync("dpkg-deb", ["-x", archive, "."], { cwd: directory });
  return path;
}
