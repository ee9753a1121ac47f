// Runs short commands by a shell that stays. To start a process the kernel copies what describes the memory of the one that
// asks for it, for which everything else in a large process waits; a shell is small.
import { spawn } from "node:child_process";

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

  /** Runs one command beside others that are under way. @throws ShellCommandError with what the command said */
  run(command: readonly string[]): Promise<void> {
    if (this.#shell === undefined || this.#shell.hasEnded) this.#shell = new Shell();
    return this.#shell.run(command);
  }
}

/** One process; it ends with this one, and does not keep it. */
class Shell {
  readonly #process = spawn("sh", [], { stdio: ["pipe", "pipe", "ignore"] });
  readonly #waiting = new Map<number, Waiting>();
  #said = "";
  #lastId = 0;
  #hasEnded = false;

  constructor() {
    const { stdin, stdout } = this.#process;
    stdout.setEncoding("utf8").on("data", (text: string) => {
      this.#said += text;
      this.#takeAnswers();
    });
    stdin.on("error", () => {
      this.#hasEnded = true;
    });
    this.#process.once("error", () => this.#giveUp());
    this.#process.once("exit", () => {
      this.#hasEnded = true;
    });
    // Commands under way outlive their shell, and still answer.
    this.#process.once("close", () => this.#giveUp());
    this.#process.unref();
    for (const stream of [stdin, stdout]) if ("unref" in stream && typeof stream.unref === "function") stream.unref();
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  run(command: readonly string[]): Promise<void> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { command, resolve, reject });
      const words = command.map(quote).join(" ");
      this.#process.stdin.write(`(said=$(${words} 2>&1 </dev/null); printf '%s %s %s\\0' ${id} $? "$said") &\n`);
    });
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

  #giveUp(): void {
    this.#hasEnded = true;
    for (const { command, reject } of this.#waiting.values()) {
      reject(new ShellCommandError(`${command.join(" ")}: the shell ended before the command began`));
    }
    this.#waiting.clear();
  }
}

function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
