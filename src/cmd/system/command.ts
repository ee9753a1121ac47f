// Runs one external command to its end and keeps what it said.
import { spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

export interface CommandOptions {
  /** Written to standard input, which is then closed. */
  readonly input?: string | Readable;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that could not be started or ended with a status other than 0. */
export class CommandError extends Error {
  readonly code = "COMMAND_FAILED";
  readonly result: CommandResult;

  constructor(command: readonly string[], result: CommandResult) {
    const said = (result.stderr.trim() || result.stdout.trim()).split("\n").slice(-5).join("\n");
    super(`${command.join(" ")} failed with status ${result.code}${said === "" ? "" : `: ${said}`}`);
    this.name = "CommandError";
    this.result = result;
  }
}

/** Resolves with the outcome whatever it is; a command that cannot be started has status 127. */
export function tryCommand(command: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const [file = "", ...args] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
      ...(options.env === undefined ? {} : { env: { ...process.env, ...options.env } }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout?.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr?.on("data", (chunk: Buffer) => stderr.push(chunk));
    if (child.stdin !== null) feed(child.stdin, options.input ?? "", reject);
    child.once("error", (error: NodeJS.ErrnoException) => {
      if (error.name === "AbortError") reject(options.signal?.reason ?? error);
      else resolve({ code: 127, stdout: "", stderr: error.message });
    });
    child.once("close", (code) => {
      resolve({ code: code ?? 128, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() });
    });
  });
}

function feed(stdin: NodeJS.WritableStream, input: string | Readable, onError: (error: unknown) => void): void {
  const isEarlyEnd = (error: unknown) => (error as NodeJS.ErrnoException).code === "EPIPE";
  if (typeof input === "string") {
    stdin.on("error", (error) => isEarlyEnd(error) || onError(error));
    stdin.end(input);
  } else {
    pipeline(input, stdin).catch((error: unknown) => isEarlyEnd(error) || onError(error));
  }
}

/** Standard output of a command that must succeed. @throws CommandError */
export async function runCommand(command: readonly string[], options: CommandOptions = {}): Promise<string> {
  const result = await tryCommand(command, options);
  if (result.code !== 0) throw new CommandError(command, result);
  return result.stdout;
}
