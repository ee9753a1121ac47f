// What clients send with requests on resources: objects, patches, and what has to come with them.
import { type Resource, typeFacts, type UncheckedObject, type WriteOptions } from "../../api/index.ts";
import { badRequest, field, hasProtobuf, invalid, isTrue, type TypeFacts } from "../../machinery/index.ts";
import { readObject, unsupported } from "./body.ts";
import type { Exchange } from "./exchange.ts";

/** A request and the resource that it names. */
export interface ResourceCall {
  readonly exchange: Exchange;
  readonly resource: Resource;
}

export const patchTypes = new Set<string>([
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
  "application/apply-patch+yaml",
]);

/** What a body in protobuf is: delete options, or the kind that the (sub)resource speaks. */
export function typeOfBody({ exchange, resource }: ResourceCall): (kind: string) => TypeFacts {
  const row = resource.subresources[exchange.info.subresource];
  return (kind) => {
    if (kind === "DeleteOptions") return typeFacts("meta.v1.DeleteOptions");
    if (row !== undefined && row.type !== resource.type) return typeFacts(row.type);
    if (!hasProtobuf(resource.facts)) throw unsupported("application/json, application/yaml");
    return resource.facts;
  };
}

/** The object that was sent, and what stood twice in it where somebody wants to know. */
export async function requiredObject(
  call: ResourceCall,
  { fieldValidation }: WriteOptions,
): Promise<{ object: UncheckedObject } & Pick<WriteOptions, "duplicateFields">> {
  const body = await readObject(call.exchange.request, { typeOf: typeOfBody(call), detectsDuplicates: fieldValidation !== "Ignore" });
  if (body === undefined) throw badRequest("couldn't get version/kind; json parse error: unexpected end of JSON input");
  call.exchange.audit?.sawRequest(body.object);
  const { object, duplicates } = body;
  return { object: object as UncheckedObject, ...(duplicates.length === 0 ? {} : { duplicateFields: duplicates }) };
}

/** Server-side apply needs a manager's name; other patches cannot be forced. */
export function patchForce(type: string, query: URLSearchParams | undefined): boolean {
  const force = query?.get("force");
  const isApply = type === "application/apply-patch+yaml";
  const errors = [];
  if (isApply && (query?.get("fieldManager") ?? "") === "") errors.push(field.required("fieldManager", "is required for apply patch"));
  if (!isApply && force !== null && force !== undefined) errors.push(field.forbidden("force", "may not be specified for non-apply patch"));
  if (errors.length > 0) throw invalid({ group: "meta.k8s.io", kind: "PatchOptions" }, "", errors);
  return force !== undefined && isTrue(force);
}
