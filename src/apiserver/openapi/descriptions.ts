// What fields and types are for, as `kubectl explain` shows it: read from the comments of the Kubernetes client's typings when
// a document is made. The texts are the client package's; this project has none of its own.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export interface TypeDescription {
  /** Of the type itself; "" when nothing is said. */
  readonly text: string;
  /** By the field's JSON name; a field that only refers to a type is described there. */
  readonly fields: ReadonlyMap<string, string>;
}

/** The description of a type such as `core.v1.Pod`; undefined when there is none. */
export type Descriptions = (type: string) => TypeDescription | undefined;

const comment = String.raw`/\*\*\s*((?:(?!\*/)[^])*?)\s*\*/\s*`;
const classPattern = new RegExp(`${comment}export declare class `);
const fieldPattern = new RegExp(`${comment}'([^']+)'\\??:`, "g");
/** Names that cannot be what they are in JavaScript, and how the generator escapes them. */
const renamed: Readonly<Record<string, string>> = { ref: "$ref", schema: "$schema" };

/** Reads the typings of the installed client, each type once. */
export function clientDescriptions(): Descriptions {
  const directory = modelDirectory();
  const known = new Map<string, TypeDescription | undefined>();
  return (type) => {
    if (!known.has(type)) known.set(type, directory === undefined ? undefined : describe(directory, type));
    return known.get(type);
  };
}

function modelDirectory(): string | undefined {
  try {
    return join(dirname(fileURLToPath(import.meta.resolve("@kubernetes/client-node"))), "gen", "models");
  } catch {
    return undefined;
  }
}

/** Types that share a name with another group's have their group in front; most have only the version. */
function describe(directory: string, type: string): TypeDescription | undefined {
  const [group = "", version = "", kind = ""] = type.split(".");
  const candidates =
    kind === "" ? [`Version${version}`] : [`${capitalized(group)}${capitalized(version)}${kind}`, `${capitalized(version)}${kind}`];
  for (const name of candidates) {
    const source = readIfThere(join(directory, `${name}.d.ts`));
    if (source !== undefined) return parseTyping(source);
  }
  return undefined;
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** The descriptions in the source of a typing. */
export function parseTyping(source: string): TypeDescription {
  const start = source.search(classPattern);
  const text = classPattern.exec(source)?.[1] ?? "";
  const fields = new Map<string, string>();
  if (start >= 0) {
    for (const [, body = "", name = ""] of source.slice(start).matchAll(fieldPattern)) fields.set(jsonName(name), plainText(body));
  }
  return { text: plainText(text), fields };
}

function jsonName(name: string): string {
  if (name.startsWith("x_kubernetes_")) return name.replaceAll("_", "-");
  return renamed[name] ?? name.replace(/^_/, "");
}

/** Without the stars of a comment and its escapes. */
function plainText(body: string): string {
  return body
    .replace(/^\s*\* ?/gm, "")
    .replaceAll('\\"', '"')
    .replaceAll("*_/", "*/")
    .trim();
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
