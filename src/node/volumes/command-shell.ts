// Runs short commands by a shell that stays. To start a process the kernel copies what describes the memory of the one that
// asks for it, for which everything else in a large process waits; a shell is small.
import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";

type Shell = ChildProcessByStdio<Writable, Readable, null>;

/** A command that ended with a status other than 0, or whose shell went away. */
export class ShellCommandError extends Error {
  readonly code = "SHELL_COMMAND";
}

interface Waiting {
  readonly command: readonly string[];
  readonly resolve: () => void;
  readonly reject: (error: ShellCommandError) => void;
}

/** Ends every answer: no command says it. */
const END = "\0";

export class CommandShell {
  #shell: Shell | undefined;
  #said = "";
  #lastId = 0;
  readonly #waiting = new Map<number, Waiting>();

  /** Runs one command beside others that are under way. @throws ShellCommandError with what the command said */
  run(command: readonly string[]): Promise<void> {
    const shell = this.#shell ?? this.#start();
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { command, resolve, reject });
      shell.stdin.write(`(said=$(${command.map(quote).join(" ")} 2>&1 </dev/null); printf '%s %s %s\\0' ${id} $? "$said") &\n`);
    });
  }

  #start(): Shell {
    const shell = spawn("sh", [], { stdio: ["pipe", "pipe", "ignore"] });
    this.#shell = shell;
    this.#said = "";
    shell.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.#said += text;
      this.#takeAnswers();
    });
    shell.stdin.on("error", () => shell.kill());
    shell.once("error", () => this.#ended(shell));
    shell.once("close", () => this.#ended(shell));
    // It ends with this process, and does not keep it.
    shell.unref();
    for (const stream of [shell.stdin, shell.stdout]) if ("unref" in stream && typeof stream.unref === "function") stream.unref();
    return shell;
  }

  #takeAnswers(): void {
    for (let end = this.#said.indexOf(END); end >= 0; end = this.#said.indexOf(END)) {
      const [, id = "", status = "", text = ""] = /^(\d+) (\d+) (.*)$/s.exec(this.#said.slice(0, end)) ?? [];
      this.#said = this.#said.slice(end + 1);
      const waiting = this.#waiting.get(Number(id));
      this.#waiting.delete(Number(id));
      if (status === "0") waiting?.resolve();
      else waiting?.reject(new ShellCommandError(`${waiting.command.join(" ")} failed with status ${status}: ${text}`));
    }
  }

  #ended(shell: Shell): void {
    if (this.#shell !== shell) return;
    this.#shell = undefined;
    for (const { command, reject } of this.#waiting.values()) {
      reject(new ShellCommandError(`${command.join(" ")}: the shell ended before the command did`));
    }
    this.#waiting.clear();
  }
}

function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
