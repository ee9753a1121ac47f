// JSON Patch (RFC 6902). Original and result share what the patch does not touch; the original is never changed.
import { deepEqual } from "../equality.ts";
import { isObject, PatchError, setMember } from "./patch-error.ts";

/** Upstream refuses longer patches. */
export const jsonPatchMaxOperations = 10_000;

interface Operation {
  readonly op: string;
  readonly path: string;
  readonly from: string;
  readonly value: unknown;
  readonly hasValue: boolean;
}

/** So much may all copies of a patch be together, in characters of JSON: each may copy what the ones before have made. */
const MAX_COPIED = 3 * 1024 * 1024;

/** One patch on its way through a document. */
interface Patching {
  /** Containers that this patch has made: they are changed in place, so that a long patch does not copy a large one again and again. */
  readonly own: Set<unknown>;
  copied: number;
}

/** Throws PatchError. */
export function applyJsonPatch(original: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch)) throw new PatchError("malformed", "json: cannot unmarshal object into Go value of type jsonpatch.Patch");
  const patching: Patching = { own: new Set(), copied: 0 };
  return patch.map(readOperation).reduce<unknown>((document, operation) => applyOperation(document, operation, patching), original);
}

function readOperation(raw: unknown): Operation {
  if (!isObject(raw)) throw new PatchError("malformed", "json: cannot unmarshal value into Go value of type jsonpatch.Operation");
  const { op, path, from } = raw;
  return {
    op: typeof op === "string" ? op : "unknown",
    path: requireText(path, "path"),
    from: op === "move" || op === "copy" ? requireText(from, "from") : "",
    value: raw["value"] ?? null,
    hasValue: Object.hasOwn(raw, "value"),
  };
}

function requireText(value: unknown, name: string): string {
  if (typeof value === "string") return value;
  throw new PatchError("inapplicable", `operation has no ${name}: missing value`);
}

function applyOperation(document: unknown, operation: Operation, patching: Patching): unknown {
  const { op, path, from, value } = operation;
  const { own } = patching;
  switch (op) {
    case "add":
      requireValue(operation);
      return add(document, { path, value, own, missing: `add operation does not apply: doc is missing path: "${path}"` });
    case "remove":
      return remove(document, { path, own, missing: `remove operation does not apply: doc is missing path: "${path}"`, during: "remove" });
    case "replace":
      requireValue(operation);
      return replace(document, path, value, own);
    case "move": {
      const moved = find(document, from, "move");
      const missing = `move operation does not apply: doc is missing from path: ${from}`;
      const rest = remove(document, { path: from, own, missing, during: "move" });
      return add(rest, { path, value: moved, own, missing: `move operation does not apply: doc is missing destination path: ${path}` });
    }
    case "copy": {
      const copied = copyOf(find(document, from, "copy"), patching);
      return add(document, {
        path,
        value: copied,
        own,
        missing: `copy operation does not apply: doc is missing destination path: ${path}`,
      });
    }
    case "test":
      return testValue(document, path, value);
    default:
      throw inapplicable(`Unexpected kind: ${op}`);
  }
}

function inapplicable(message: string): PatchError {
  return new PatchError("inapplicable", message);
}

function requireValue({ op, path, hasValue }: Operation): void {
  if (!hasValue) throw inapplicable(`${op} operation for path '${path}' has no value: missing value`);
}

function tokensOf(pointer: string): string[] {
  return pointer
    .split("/")
    .slice(1)
    .map((token) => token.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** What stands under `token`; undefined if there is nothing. */
function child(value: unknown, token: string): unknown {
  if (Array.isArray(value)) return value[arrayIndex(value, token)];
  return isObject(value) && Object.hasOwn(value, token) ? value[token] : undefined;
}

/** Negative indices count from the end, as upstream's library has it; -1 for what is no index. */
function arrayIndex(list: readonly unknown[], token: string): number {
  if (!/^-?(0|[1-9][0-9]*)$/.test(token)) return -1;
  const index = Number(token);
  return index < 0 ? index + list.length : index;
}

function find(document: unknown, pointer: string, during: "move" | "copy"): unknown {
  const found = tokensOf(pointer).reduce<unknown>(child, document);
  if (found === undefined) throw inapplicable(`${during} operation does not apply: doc is missing from path: ${pointer}: missing value`);
  return found;
}

/** A value that shares nothing with `value`: both may be changed further on. */
function copyOf(value: unknown, patching: Patching): unknown {
  const text = JSON.stringify(value);
  patching.copied += text.length;
  if (patching.copied <= MAX_COPIED) return JSON.parse(text);
  throw inapplicable(`Unable to copy, the accumulated size increase of copy is ${patching.copied}, exceeding the limit ${MAX_COPIED}`);
}

type Container = unknown[] | Record<string, unknown>;

interface Edit {
  readonly own: Set<unknown>;
  readonly tokens: readonly string[];
  /** The text of the error when a parent is missing. */
  readonly missing: string;
  /** Changes the last container, which is the patch's own. */
  change(container: Container, token: string): void;
}

/** Makes the containers along the path the patch's own, and changes the last one. */
function editAt(document: unknown, edit: Edit, depth = 0): unknown {
  const token = edit.tokens[depth] ?? "";
  if (!Array.isArray(document) && !isObject(document)) throw inapplicable(`${edit.missing}: missing value`);
  const copy = edit.own.has(document) ? document : ownCopy(document, edit.own);
  if (depth === edit.tokens.length - 1) {
    edit.change(copy, token);
    return copy;
  }
  const next = child(document, token);
  if (next === undefined) throw inapplicable(`${edit.missing}: missing value`);
  const edited = editAt(next, edit, depth + 1);
  if (Array.isArray(copy)) copy[arrayIndex(copy, token)] = edited;
  else setMember(copy, token, edited);
  return copy;
}

function ownCopy(container: Container, own: Set<unknown>): Container {
  const copy = Array.isArray(container) ? [...container] : { ...container };
  own.add(copy);
  return copy;
}

interface Addition extends Pick<Edit, "own" | "missing"> {
  readonly path: string;
  readonly value: unknown;
}

function add(document: unknown, { path, value, own, missing }: Addition): unknown {
  if (path === "") return value;
  return editAt(document, {
    own,
    tokens: tokensOf(path),
    missing,
    change(container, token) {
      if (!Array.isArray(container)) setMember(container, token, value);
      else if (token === "-") container.push(value);
      else {
        const index = arrayIndex(container, token);
        if (index < 0 || index > container.length) {
          throw inapplicable(`error in add for path: '${path}': Unable to access invalid index: ${token}: invalid index referenced`);
        }
        container.splice(index, 0, value);
      }
    },
  });
}

interface Removal extends Pick<Edit, "own" | "missing"> {
  readonly path: string;
  readonly during: "remove" | "move";
}

function remove(document: unknown, { path, own, missing, during }: Removal): unknown {
  return editAt(document, {
    own,
    tokens: tokensOf(path),
    missing,
    change(container, token) {
      if (Array.isArray(container)) {
        const index = arrayIndex(container, token);
        if (index < 0 || index >= container.length) {
          const cause = `Unable to access invalid index: ${token}: invalid index referenced`;
          throw inapplicable(`error in ${during} for path: '${path}': ${cause}`);
        }
        container.splice(index, 1);
      } else if (Object.hasOwn(container, token)) delete container[token];
      else throw inapplicable(`error in ${during} for path: '${path}': Unable to remove nonexistent key: ${token}: missing value`);
    },
  });
}

function replace(document: unknown, path: string, value: unknown, own: Set<unknown>): unknown {
  if (path === "") return value;
  return editAt(document, {
    own,
    tokens: tokensOf(path),
    missing: `replace operation does not apply: doc is missing path: ${path}`,
    change(container, token) {
      if (child(container, token) === undefined) {
        throw inapplicable(`replace operation does not apply: doc is missing key: ${path}: missing value`);
      }
      if (Array.isArray(container)) container[arrayIndex(container, token)] = value;
      else setMember(container, token, value);
    },
  });
}

function testValue(document: unknown, path: string, value: unknown): unknown {
  const tokens = tokensOf(path);
  const parent = tokens.slice(0, -1).reduce<unknown>(child, document);
  if (parent === undefined) throw inapplicable(`test operation does not apply: is missing path: ${path}: missing value`);
  const found = tokens.length === 0 ? document : child(parent, tokens.at(-1) ?? "");
  if (!deepEqual(found ?? null, value)) throw inapplicable(`testing value ${path} failed: test failed`);
  return document;
}
