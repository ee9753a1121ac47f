// Programs under strace, killed when they are about to make a system call.
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import type { Readable } from "node:stream";

export const hasStrace = existsSync("/usr/bin/strace");

/** Where a program is killed: before the system call is carried out. */
export interface Moment {
  /** The call's name. */
  readonly call: string;
  /** Which one of a thread's calls, counted from 1. */
  readonly count: number;
  /** Count only calls on this file. */
  readonly path?: string | undefined;
}

export interface Recording {
  /** Names of calls. */
  readonly calls: readonly string[];
  /** Where they are written to, with all bytes, in hexadecimal. */
  readonly file: string;
}

/** Starts a program that ends with SIGKILL at the moment, if it comes so far. */
export function killedAt({ call, count, path }: Moment, command: readonly string[], recording?: Recording) {
  const only = path === undefined ? [] : ["-P", path];
  const { calls, file } = recording ?? { calls: [call], file: "/dev/null" };
  const options = ["-f", "-qqq", "-xx", "-s", recording === undefined ? "0" : "1000000", "-o", file, ...only];
  const words = [...options, "-e", `trace=${calls.join()}`, "-e", `inject=${call}:signal=KILL:when=${count}`, ...command];
  return spawn("strace", words, { stdio: ["ignore", "pipe", "inherit"] }) satisfies ChildProcessByStdio<null, Readable, null>;
}
