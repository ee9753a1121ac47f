// An image registry that has one image under every name, for those who know its password.
import { createReadStream } from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { extract } from "tar-stream";

export const LOGIN = Buffer.from("robot:secret").toString("base64");

export class Registry implements AsyncDisposable {
  readonly #blobs = new Map<string, Buffer>();
  readonly #server: Server;
  /** Paths of the manifests that were asked for with the password. */
  readonly asked: string[] = [];

  private constructor() {
    this.#server = createServer(({ url = "", method, headers }, response) => {
      if (headers.authorization === `Basic ${LOGIN}`) this.#answer(url, method === "HEAD", response);
      else response.writeHead(401, { "www-authenticate": 'Basic realm="images"' }).end();
    });
  }

  /** Serves the image of an OCI archive on loopback. */
  static async serve(archive: string): Promise<Registry> {
    const registry = new Registry();
    for await (const entry of createReadStream(archive).pipe(extract())) {
      if (entry.header.type === "file") registry.#blobs.set(entry.header.name, await buffer(entry));
      else entry.resume();
    }
    await new Promise<void>((resolve) => registry.#server.listen(0, "127.0.0.1", resolve));
    return registry;
  }

  get host(): string {
    return `localhost:${(this.#server.address() as AddressInfo).port}`;
  }

  #answer(url: string, isHead: boolean, response: ServerResponse): void {
    const [, kind, reference = ""] = /\/(manifests|blobs)\/([^/?]+)/.exec(url) ?? [];
    const index = JSON.parse(this.#blobs.get("index.json")?.toString() ?? "{}") as {
      readonly manifests: readonly { readonly digest: string; readonly mediaType: string }[];
    };
    const manifest = kind === "manifests" ? index.manifests[0] : undefined;
    if (kind === "manifests") this.asked.push(url);
    const digest = reference.startsWith("sha256:") ? reference : (manifest?.digest ?? "");
    const blob = this.#blobs.get(`blobs/${digest.replace(":", "/")}`);
    if (url === "/v2/") response.writeHead(200).end();
    else if (blob === undefined) response.writeHead(404).end();
    else {
      const type = manifest?.mediaType ?? "application/octet-stream";
      response.writeHead(200, { "content-type": type, "content-length": blob.length, "docker-content-digest": digest });
      response.end(isHead ? undefined : blob);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
