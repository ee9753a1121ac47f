// /version: what this server calls itself.
import type { Endpoint, Exchange } from "../front/exchange.ts";
import { writeValue } from "../front/respond.ts";

/** version.Info */
export interface VersionInfo {
  readonly major: string;
  readonly minor: string;
  readonly gitVersion: string;
  readonly gitCommit: string;
  readonly gitTreeState: string;
  readonly buildDate: string;
  readonly goVersion: string;
  readonly compiler: string;
  readonly platform: string;
}

export class VersionEndpoint implements Endpoint {
  readonly #info: VersionInfo;

  constructor(info: VersionInfo) {
    this.#info = info;
  }

  serve(exchange: Exchange): void {
    writeValue(exchange, 200, this.#info);
  }
}

/** The root: the paths that can be asked for. */
export class RootEndpoint implements Endpoint {
  readonly #paths: () => readonly string[];

  constructor(paths: () => readonly string[]) {
    this.#paths = paths;
  }

  serve(exchange: Exchange): void {
    writeValue(exchange, 200, { paths: this.#paths() });
  }
}
