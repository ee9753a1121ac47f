// Query parameters and bodies as the handler's options, checked as upstream's validation of options does.
import type { ListOptions, ReadOptions, UncheckedObject, WatchOptions, WriteOptions } from "../../api/index.ts";
import { badRequest, type DeleteOptions, type FieldError, field, invalid, isTrue } from "../../machinery/index.ts";
import { type FrontRequest, header } from "./exchange.ts";

type Query = URLSearchParams | undefined;

/** ManagedFieldsEntry's limit of a manager's name. */
const MAX_MANAGER_LENGTH = 128;

function text(query: Query, name: string): string | undefined {
  return query?.get(name) ?? undefined;
}

function whole(query: Query, name: string): number | undefined {
  const value = text(query, name);
  if (value === undefined || value === "") return undefined;
  const number = Number(value);
  if (!Number.isInteger(number)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
  return number;
}

export function readOptions(query: Query): ReadOptions {
  return query === undefined ? {} : { resourceVersion: text(query, "resourceVersion") };
}

export function listOptions(query: Query): ListOptions {
  if (query === undefined) return {};
  return {
    resourceVersion: text(query, "resourceVersion"),
    resourceVersionMatch: text(query, "resourceVersionMatch"),
    labelSelector: text(query, "labelSelector"),
    fieldSelector: text(query, "fieldSelector"),
    limit: whole(query, "limit"),
    continue: text(query, "continue"),
  };
}

/** `name` is that of a legacy watch on one object. */
export function watchOptions(query: Query, name: string): WatchOptions {
  const byName = name === "" ? undefined : `metadata.name=${name}`;
  const initial = text(query, "sendInitialEvents");
  return {
    resourceVersion: text(query, "resourceVersion"),
    resourceVersionMatch: text(query, "resourceVersionMatch"),
    labelSelector: text(query, "labelSelector"),
    fieldSelector: byName ?? text(query, "fieldSelector"),
    allowWatchBookmarks: query?.has("allowWatchBookmarks") === true && isTrue(query.get("allowWatchBookmarks")),
    sendInitialEvents: initial === undefined ? undefined : isTrue(initial),
    timeoutSeconds: whole(query, "timeoutSeconds"),
  };
}

/** `kind` is that of the options (`CreateOptions`, …), for messages. */
export function writeOptions(query: Query, kind: string): WriteOptions {
  if (query === undefined) return {};
  const errors: FieldError[] = [];
  const dryRun = query.getAll("dryRun");
  if (dryRun.some((value) => value !== "All")) errors.push(field.notSupported("dryRun", dryRun, ["All"]));
  const validation = text(query, "fieldValidation") ?? "";
  const isKnown = validation === "" || validation === "Ignore" || validation === "Warn" || validation === "Strict";
  if (!isKnown) errors.push(field.notSupported("fieldValidation", validation, ["Ignore", "Warn", "Strict"]));
  if ((text(query, "fieldManager") ?? "").length > MAX_MANAGER_LENGTH) errors.push(field.tooLong("fieldManager", MAX_MANAGER_LENGTH));
  if (errors.length > 0) throw invalid({ group: "meta.k8s.io", kind }, "", errors);
  return {
    dryRun: dryRun.length > 0,
    ...(validation === "" || !isKnown ? {} : { fieldValidation: validation as NonNullable<WriteOptions["fieldValidation"]> }),
  };
}

/** The body, or the query when there is no body. */
export function deleteOptions(query: Query, body: UncheckedObject | undefined): DeleteOptions {
  if (body !== undefined) return body as DeleteOptions;
  if (query === undefined) return {};
  const grace = whole(query, "gracePeriodSeconds");
  const policy = text(query, "propagationPolicy");
  const orphan = text(query, "orphanDependents");
  const dryRun = query.getAll("dryRun");
  return {
    ...(grace === undefined ? {} : { gracePeriodSeconds: grace }),
    ...(policy === undefined ? {} : { propagationPolicy: policy }),
    ...(orphan === undefined ? {} : { orphanDependents: isTrue(orphan) }),
    ...(dryRun.length === 0 ? {} : { dryRun }),
  };
}

/** Who is named in managedFields: the query's word, else the user agent up to its first slash. */
export function fieldManager(request: FrontRequest, query: Query): string {
  const asked = text(query, "fieldManager");
  if (asked !== undefined && asked !== "") return asked;
  const agent = header(request, "user-agent") ?? "";
  const slash = agent.indexOf("/");
  const name = (slash < 0 ? agent : agent.slice(0, slash)).slice(0, MAX_MANAGER_LENGTH);
  return name === "" ? "unknown" : name;
}
