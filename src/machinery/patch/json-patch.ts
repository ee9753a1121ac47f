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

/** Throws PatchError. */
export function applyJsonPatch(original: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch)) throw new PatchError("malformed", "json: cannot unmarshal object into Go value of type jsonpatch.Patch");
  return patch.map(readOperation).reduce<unknown>(applyOperation, original);
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

function applyOperation(document: unknown, operation: Operation): unknown {
  const { op, path, from, value } = operation;
  switch (op) {
    case "add":
      requireValue(operation);
      return add(document, path, value, `add operation does not apply: doc is missing path: "${path}"`);
    case "remove":
      return remove(document, path, { missing: `remove operation does not apply: doc is missing path: "${path}"`, during: "remove" });
    case "replace":
      requireValue(operation);
      return replace(document, path, value);
    case "move": {
      const moved = find(document, from, "move");
      const rest = remove(document, from, { missing: `move operation does not apply: doc is missing from path: ${from}`, during: "move" });
      return add(rest, path, moved, `move operation does not apply: doc is missing destination path: ${path}`);
    }
    case "copy": {
      const copied = find(document, from, "copy");
      return add(document, path, copied, `copy operation does not apply: doc is missing destination path: ${path}`);
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

type Container = unknown[] | Record<string, unknown>;

interface Edit {
  readonly tokens: readonly string[];
  /** The text of the error when a parent is missing. */
  readonly missing: string;
  /** Changes a fresh copy of the last container. */
  change(container: Container, token: string): void;
}

/** Copies the containers along the path, and changes the last one. */
function editAt(document: unknown, edit: Edit, depth = 0): unknown {
  const token = edit.tokens[depth] ?? "";
  if (!Array.isArray(document) && !isObject(document)) throw inapplicable(`${edit.missing}: missing value`);
  const copy: Container = Array.isArray(document) ? [...document] : { ...document };
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

function add(document: unknown, path: string, value: unknown, missing: string): unknown {
  if (path === "") return value;
  return editAt(document, {
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

function remove(document: unknown, path: string, texts: { readonly missing: string; readonly during: "remove" | "move" }): unknown {
  return editAt(document, {
    tokens: tokensOf(path),
    missing: texts.missing,
    change(container, token) {
      if (Array.isArray(container)) {
        const index = arrayIndex(container, token);
        if (index < 0 || index >= container.length) {
          const cause = `Unable to access invalid index: ${token}: invalid index referenced`;
          throw inapplicable(`error in ${texts.during} for path: '${path}': ${cause}`);
        }
        container.splice(index, 1);
      } else if (Object.hasOwn(container, token)) delete container[token];
      else throw inapplicable(`error in ${texts.during} for path: '${path}': Unable to remove nonexistent key: ${token}: missing value`);
    },
  });
}

function replace(document: unknown, path: string, value: unknown): unknown {
  if (path === "") return value;
  return editAt(document, {
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
