// Where the fields of a type stand in its protobuf message, which may keep some of them in messages of their own.
import type { FieldFacts, TypeFacts } from "../../schema.ts";

/** Fields of the message itself, and the messages inside of it whose fields JSON shows beside them. */
export interface MessageLayout {
  readonly byName: Map<string, FieldFacts>;
  readonly byNumber: Map<number, FieldFacts>;
  readonly embedded: Map<number, MessageLayout>;
}

const layouts = new WeakMap<TypeFacts, MessageLayout>();

/** The layout of `facts`; made once. */
export function layoutOf(facts: TypeFacts): MessageLayout {
  let layout = layouts.get(facts);
  if (layout === undefined) {
    layout = emptyLayout();
    for (const field of facts.fields.values()) place(layout, field, field.protobufEmbeddedIn ?? []);
    layouts.set(facts, layout);
  }
  return layout;
}

/** Whether the type has a protobuf form at all; custom resources have none. */
export function hasProtobuf(facts: TypeFacts): boolean {
  return layoutOf(facts).byNumber.size > 0;
}

function emptyLayout(): MessageLayout {
  return { byName: new Map(), byNumber: new Map(), embedded: new Map() };
}

function place(layout: MessageLayout, field: FieldFacts, [outer, ...inner]: readonly number[]): void {
  if (outer !== undefined) {
    const embedded = layout.embedded.get(outer) ?? emptyLayout();
    layout.embedded.set(outer, embedded);
    place(embedded, field, inner);
  } else if (field.protobufNumber !== undefined) {
    layout.byName.set(field.name, field);
    layout.byNumber.set(field.protobufNumber, field);
  }
}
