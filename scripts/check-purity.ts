// Below src, only src/cmd may touch the real clock, real randomness, the environment and the process' end: they are
// constructor arguments everywhere else, or virtual time would not hold.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const FORBIDDEN =
  /Date\.now\(|new Date\(\)|(?<![.\w])setTimeout\(|(?<![.\w])setInterval\(|Math\.random\(|performance\.now\(|process\.(env|argv|exit)\b|AbortSignal\.timeout\(/;
/** A method's definition or an interface's member is no call of the global. */
const DEFINITION = /^\s*setTimeout\(\w+: /;

/** Lines that break the rule, as `file:line: text`. */
export function impureLines(directory: string): string[] {
  const files = readdirSync(directory, { recursive: true, encoding: "utf8" }).filter(isChecked);
  return files.flatMap((file) => {
    const path = join(directory, file);
    const lines = readFileSync(path, "utf8").split("\n");
    return lines.flatMap((line, index) => (isImpure(line) ? [`${path}:${index + 1}: ${line.trim()}`] : []));
  });
}

function isChecked(file: string): boolean {
  const isTest = /\.(test|suite|fixture)\.ts$/.test(file) || file.includes("testdata/") || file.includes("/testing/");
  return file.endsWith(".ts") && !isTest && !file.startsWith("cmd/");
}

function isImpure(line: string): boolean {
  const code = line.replace(/\/\/.*|^\s*\*.*/, "");
  return FORBIDDEN.test(code) && !DEFINITION.test(code);
}
