// From a CustomResourceDefinition to the resources that are served for it: one for each served version.
import { pruneCustomResource, type Resource, type StoredForm, type SubresourceRow, schemaFacts } from "../../api/index.ts";
import type { CustomResourceDefinition, CustomResourceDefinitionVersion } from "../../api/types/apiextensions/v1.ts";
import { type DeepReadonly, type FieldError, invalid, type KubeObject } from "../../machinery/index.ts";
import type { Draft } from "../registry/draft.ts";
import type { Converter } from "./conversion.ts";
import { customResourceStrategy, schemaOf } from "./custom-resource-strategy.ts";

const verbs = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];
/** What remains while the instances of a definition are being deleted. */
const terminatingVerbs = ["delete", "deletecollection", "get", "list", "watch"];

/** Whether the names are granted and objects can be stored. */
export function isEstablished({ status }: DeepReadonly<CustomResourceDefinition>): boolean {
  return hasCondition(status?.conditions, "Established");
}

/** Whether the instances are being deleted. */
export function isTerminating({ status }: DeepReadonly<CustomResourceDefinition>): boolean {
  return hasCondition(status?.conditions, "Terminating");
}

function hasCondition(conditions: readonly { readonly type: string; readonly status: string }[] | undefined, type: string): boolean {
  return conditions?.some((condition) => condition.type === type && condition.status === "True") ?? false;
}

export interface ServedOptions {
  readonly converter: Converter;
  /** Aborted when the definition is gone. */
  readonly served: AbortSignal;
}

/** The resources of an established definition. */
export function servedResources(definition: CustomResourceDefinition, options: ServedOptions): Resource[] {
  const all = definition.spec.versions.map((version) => plainResource(definition, version, options.served));
  const stored = all[definition.spec.versions.findIndex((version) => version.storage)];
  if (stored === undefined) return [];
  const byVersion = new Map(all.map((resource) => [resource.apiVersion, resource]));
  const complete = all.map((resource) => withStorage(resource, { stored, byVersion, converter: options.converter }));
  return complete.filter((_, index) => definition.spec.versions[index]?.served === true);
}

/** `com.example.v1.CronTab`: how OpenAPI documents name the type. */
function typeName(group: string, version: string, kind: string): string {
  return `${group.split(".").reverse().join(".")}.${version}.${kind}`;
}

function plainResource(definition: CustomResourceDefinition, version: CustomResourceDefinitionVersion, served: AbortSignal): Resource {
  const { group, scope } = definition.spec;
  const { plural, singular, kind, listKind, shortNames, categories } = definition.status?.acceptedNames ?? definition.spec.names;
  const type = typeName(group, version.name, kind);
  const schema = schemaOf(version);
  const apiVersion = `${group}/${version.name}`;
  return {
    group,
    version: version.name,
    resource: plural,
    kind,
    namespaced: scope === "Namespaced",
    verbs: isTerminating(definition) ? terminatingVerbs : verbs,
    subresources: subresourcesOf(version, { group, kind, type }),
    type,
    ...(shortNames !== undefined && { shortNames }),
    ...(categories !== undefined && { categories }),
    apiVersion,
    listKind: listKind ?? `${kind}List`,
    singular: singular ?? kind.toLowerCase(),
    facts: schemaFacts(type, schema),
    strategy: customResourceStrategy(version, type) as unknown as Resource["strategy"],
    prune: (object) => pruneCustomResource(object, schema),
    openApiSchema: schema as Readonly<Record<string, unknown>>,
    served,
    ...(version.deprecated === true && { deprecationWarning: version.deprecationWarning ?? `${apiVersion} ${kind} is deprecated` }),
  };
}

function subresourcesOf(
  { name, subresources }: CustomResourceDefinitionVersion,
  own: { group: string; kind: string; type: string },
): Resource["subresources"] {
  const subverbs = ["get", "patch", "update"];
  const status: SubresourceRow = { ...own, version: name, verbs: subverbs };
  const scale: SubresourceRow = { group: "autoscaling", version: "v1", kind: "Scale", type: "autoscaling.v1.Scale", verbs: subverbs };
  return { ...(subresources?.status !== undefined && { status }), ...(subresources?.scale !== undefined && { scale }) };
}

interface Storage {
  readonly stored: Resource;
  readonly byVersion: ReadonlyMap<string, Resource>;
  readonly converter: Converter;
}

/**
 * What is read was perhaps written under an older schema, or in another version: it gets the defaults of the version it stands
 * in, is converted, and loses what the version that is asked for does not know.
 */
function withStorage(resource: Resource, { stored, byVersion, converter }: Storage): Resource {
  const isOther = resource !== stored;
  const form: StoredForm = {
    ...(isOther && { resource: stored }),
    toStored(object) {
      if (!isOther) return object;
      resource.strategy.applyDefaults?.(object);
      refuseInvalid(resource, object);
      return converter.convert(object, stored.apiVersion);
    },
    fromStored(object) {
      const origin = byVersion.get(object.apiVersion ?? "") ?? stored;
      origin.prune?.(object as Draft);
      origin.strategy.applyDefaults?.(object);
      const converted = converter.convert(object, resource.apiVersion);
      return converted instanceof Promise ? converted.then((late) => fitted(resource, late)) : fitted(resource, converted);
    },
  };
  return { ...resource, storedAs: form };
}

function fitted(resource: Resource, object: KubeObject): KubeObject {
  resource.prune?.(object as Draft);
  return object;
}

/** The stored form is validated with all other writes; what a client sent in another version must be valid there, too. */
function refuseInvalid(resource: Resource, object: KubeObject): void {
  const errors: FieldError[] = resource.strategy.validate?.(object) ?? [];
  if (errors.length > 0) throw invalid(resource, object.metadata.name ?? object.metadata.generateName ?? "", errors);
}
