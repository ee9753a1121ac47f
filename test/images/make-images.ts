// Makes the images of the end-to-end tests from this machine's own programs, as OCI archives: kubia, busybox and nginx.
// `make-images.ts <directory>` prints the paths; an archive that is there already is kept.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, realpathSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type ImageEntry, type ImageSpec, ociArchitecture, writeOciArchive } from "../../src/cmd/images/oci-archive.ts";
import { fileOfPackage } from "./debian-package.ts";

const KUBIA = `const http = require("node:http");
const os = require("node:os");
console.log("Kubia server starting...");
const server = http.createServer((request, response) => {
  console.log("Received request from " + request.socket.remoteAddress);
  response.end("You've hit " + os.hostname() + "\\n");
});
server.listen(8080);
process.on("SIGTERM", () => process.exit(0));
`;

const NGINX_CONFIG = `daemon off;
worker_processes 1;
pid /tmp/nginx.pid;
error_log /dev/stderr notice;
events { worker_connections 256; }
http {
  include /etc/nginx/mime.types;
  access_log /dev/stdout;
  server {
    listen 80;
    root /usr/share/nginx/html;
  }
}
`;

const ACCOUNTS: readonly ImageEntry[] = [
  {
    type: "file",
    path: "etc/passwd",
    content: "root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33::/:/bin/false\nnobody:x:65534:65534::/:/bin/false\n",
  },
  { type: "file", path: "etc/group", content: "root:x:0:\nwww-data:x:33:\nnogroup:x:65534:\n" },
  { type: "file", path: "etc/nsswitch.conf", content: "hosts: files dns\n" },
  { type: "directory", path: "tmp", mode: 0o1777 },
  { type: "directory", path: "root", mode: 0o700 },
];

/** A shell and the usual commands from one program. */
function busyboxEntries(directory: string): ImageEntry[] {
  // The dynamically linked one, which resolves hosts through the image's own libraries; it and the static one exclude each other.
  const program = fileOfPackage("busybox", "bin/busybox", resolve(directory, "busybox"));
  const applets = execFileSync(program, ["--list"], { encoding: "utf8" }).trim().split("\n");
  const links = applets
    .filter((name) => name !== "busybox")
    .map((name) => ({ type: "symlink" as const, path: `bin/${name}`, target: "busybox" }));
  return [...programEntries(program, "bin/busybox"), ...resolverEntries(), ...links];
}

/** Of entries for one path the first counts: images share libraries. */
function distinct(entries: readonly ImageEntry[]): ImageEntry[] {
  const byPath = new Map<string, ImageEntry>();
  for (const entry of entries) if (!byPath.has(entry.path)) byPath.set(entry.path, entry);
  return [...byPath.values()];
}

/** A program under another path with the libraries that it is linked to, at their own paths. */
function programEntries(program: string, path: string): ImageEntry[] {
  const listing = execFileSync("ldd", [program], { encoding: "utf8" });
  const libraries = [...listing.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map((match) => match[1] ?? "");
  const copies = libraries.map((file) => ({ type: "copy" as const, path: file.slice(1), from: realpathSync(file), mode: 0o755 }));
  return [{ type: "copy", path, from: program, mode: 0o755 }, ...copies];
}

/** The libraries that glibc loads by name to resolve hosts; ldd does not see them. */
function resolverEntries(): ImageEntry[] {
  const directory = readdirSync("/lib").find((name) => /^(x86_64|aarch64)-linux-gnu$/.test(name));
  if (directory === undefined) return [];
  return ["libnss_dns.so.2", "libnss_files.so.2", "libresolv.so.2"]
    .map((name) => join("/lib", directory, name))
    .filter((file) => existsSync(file))
    .map((file) => ({ type: "copy", path: file.slice(1), from: realpathSync(file), mode: 0o755 }));
}

function specs(directory: string): Readonly<Record<string, ImageSpec>> {
  const architecture = ociArchitecture(process.arch);
  const path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  const busybox = busyboxEntries(directory);
  return {
    busybox: {
      reference: "docker.io/library/busybox:latest",
      architecture,
      config: { Cmd: ["sh"], Env: [path] },
      entries: [...ACCOUNTS, ...busybox],
    },
    kubia: {
      reference: "docker.io/library/kubia:latest",
      architecture,
      config: { Entrypoint: ["node", "app.js"], Env: [path], ExposedPorts: { "8080/tcp": {} } },
      entries: [
        ...ACCOUNTS,
        ...busybox,
        ...programEntries(realpathSync(process.execPath), "usr/bin/node"),
        { type: "file", path: "app.js", content: KUBIA },
      ],
    },
    nginx: {
      reference: "docker.io/library/nginx:latest",
      architecture,
      config: { Cmd: ["nginx", "-c", "/etc/nginx/nginx.conf"], Env: [path], ExposedPorts: { "80/tcp": {} }, StopSignal: "SIGQUIT" },
      entries: [
        ...ACCOUNTS,
        ...busybox,
        ...programEntries("/usr/sbin/nginx", "usr/sbin/nginx"),
        { type: "file", path: "etc/nginx/nginx.conf", content: NGINX_CONFIG },
        { type: "copy", path: "etc/nginx/mime.types", from: "/etc/nginx/mime.types", mode: 0o644 },
        { type: "file", path: "usr/share/nginx/html/index.html", content: "<h1>Welcome to nginx!</h1>\n" },
        { type: "directory", path: "var/lib/nginx" },
        { type: "directory", path: "var/log/nginx" },
      ],
    },
  };
}

/** Makes the archives that are missing in a directory; returns the path of each by its image's name. */
export async function makeImages(directory: string): Promise<Readonly<Record<string, string>>> {
  const paths: Record<string, string> = {};
  for (const [name, spec] of Object.entries(specs(directory))) {
    const archive = join(directory, `${name}.tar`);
    if (!existsSync(archive)) await writeOciArchive(archive, { ...spec, entries: distinct(spec.entries) });
    paths[name] = archive;
  }
  return paths;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  for (const archive of Object.values(await makeImages(resolve(process.argv[2] ?? ".cache/images")))) console.log(archive);
}
