// Other servers' OpenAPI v2 documents joined with this server's: their paths with all that these refer to. Definitions of the
// same name that say something else get another name.
// @see kubernetes `kube-openapi/pkg/aggregator`
import { deepEqual } from "../../machinery/index.ts";

type Members = Readonly<Record<string, unknown>>;

export interface SwaggerDocument extends Members {
  readonly paths?: Members;
  readonly definitions?: Members;
}

/** What another server says of the group and version that it serves. */
export interface RemoteDocumentV2 {
  readonly group: string;
  readonly version: string;
  readonly document: SwaggerDocument;
}

const REF_PREFIX = "#/definitions/";

/** `own` with what the others add; where both describe a path, `own` counts. */
export function mergeV2(own: SwaggerDocument, remotes: readonly RemoteDocumentV2[]): SwaggerDocument {
  const paths = new Map(Object.entries(own.paths ?? {}));
  const definitions = new Map(Object.entries(own.definitions ?? {}));
  for (const { group, version, document } of remotes) {
    const prefix = `/apis/${group}/${version}/`;
    const added = Object.entries(membersOf(membersOf(document)["paths"])).filter(([path]) => path.startsWith(prefix) && !paths.has(path));
    const needed = referredTo(Object.fromEntries(added), membersOf(membersOf(document)["definitions"]));
    const names = newNames(needed, definitions);
    for (const [name, definition] of needed) {
      const renamed = names.get(name) ?? name;
      if (!definitions.has(renamed)) definitions.set(renamed, withNames(definition, names));
    }
    for (const [path, item] of added) paths.set(path, withNames(item, names));
  }
  return { ...own, paths: Object.fromEntries(paths), definitions: Object.fromEntries(definitions) };
}

function membersOf(value: unknown): Members {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Members) : {};
}

/** The definitions that `root` refers to, and those that these refer to. */
function referredTo(root: unknown, definitions: Members): Map<string, unknown> {
  const found = new Map<string, unknown>();
  const waiting: unknown[] = [root];
  while (waiting.length > 0) {
    const value = waiting.pop();
    if (typeof value !== "object" || value === null) continue;
    const name = referenceIn(value);
    if (name !== undefined && !found.has(name) && Object.hasOwn(definitions, name)) {
      found.set(name, definitions[name]);
      waiting.push(definitions[name]);
    }
    for (const member of Object.values(value)) waiting.push(member);
  }
  return found;
}

function referenceIn(value: object): string | undefined {
  const { $ref } = value as { readonly $ref?: unknown };
  return typeof $ref === "string" && $ref.startsWith(REF_PREFIX) ? $ref.slice(REF_PREFIX.length) : undefined;
}

/** For the definitions whose name is taken by another one: `<name>_v2` and so on. */
function newNames(needed: ReadonlyMap<string, unknown>, taken: ReadonlyMap<string, unknown>): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const [name, definition] of needed) {
    const isFree = (candidate: string) => !taken.has(candidate) || deepEqual(taken.get(candidate), definition);
    let candidate = name;
    for (let count = 2; !isFree(candidate); count++) candidate = `${name}_v${count}`;
    if (candidate !== name) names.set(name, candidate);
  }
  return names;
}

/** A copy with references by the new names; what is null is left out: nothing in a document may be. */
function withNames(value: unknown, names: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(value)) return value.filter((item) => item !== null).map((item) => withNames(item, names));
  if (typeof value !== "object" || value === null) return value;
  const name = referenceIn(value);
  const members = Object.entries(value).filter(([, member]) => member !== null);
  const copy = Object.fromEntries(members.map(([key, member]) => [key, withNames(member, names)]));
  return name === undefined ? copy : { ...copy, $ref: `${REF_PREFIX}${names.get(name) ?? name}` };
}
