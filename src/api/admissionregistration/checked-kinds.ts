// The kinds that policies can be checked against: what each is called, and the type of its objects.
import type { CelField, CelType } from "../../machinery/cel/index.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import { celTypeOf, type Schema } from "../apiextensions/schema/index.ts";
import { resourceRows, typeFacts } from "../schema/table.ts";
import type { CustomResourceDefinition } from "../types/apiextensions/v1.ts";
import { celObjectTypeOf } from "./typed-objects.ts";

export interface CheckedKind {
  readonly group: string;
  readonly version: string;
  /** The plural. */
  readonly resource: string;
  readonly kind: string;
  celType(): CelType;
}

export const builtInKinds: readonly CheckedKind[] = resourceRows.map(({ group, version, resource, kind, type }) => ({
  group,
  version,
  resource,
  kind,
  celType: () => celObjectTypeOf(typeFacts(type)),
}));

export function customKinds(definitions: readonly DeepReadonly<CustomResourceDefinition>[]): CheckedKind[] {
  return definitions.flatMap(({ spec: { group, names, versions } }) =>
    versions.map(({ name: version, schema }) => ({
      group,
      version,
      resource: names.plural,
      kind: names.kind,
      celType: () => customType(`${group}.${version}.${names.kind}`, schema?.openAPIV3Schema as Schema | undefined),
    })),
  );
}

/** With all of its metadata: rules of the definition itself see only names. */
function customType(name: string, schema: Schema | undefined): CelType {
  const type = schema === undefined ? "dyn" : celTypeOf(schema, name, { isRoot: true });
  if (typeof type !== "object" || type.kind !== "object") return type;
  const metadata: CelField = { type: celObjectTypeOf(typeFacts("meta.v1.ObjectMeta")) };
  return { ...type, fields: new Map([...type.fields, ["metadata", metadata]]) };
}

/** `v1`, or `apps/v1`. */
export function apiVersionOf({ group, version }: CheckedKind): string {
  return group === "" ? version : `${group}/${version}`;
}
