// Unknown, duplicate and ill-typed fields of what a client sent.
import type { RequestScope, WriteOptions } from "../../api/index.ts";
import type { TypeFacts } from "../../machinery/index.ts";

export function checkFieldsOf(_scope: RequestScope, _body: unknown, _facts: TypeFacts, _options: WriteOptions): void {}
