// Who set which fields: metadata.managedFields, kept by every write.
import type { RequestScope } from "../../api/index.ts";
import type { DeepReadonly, KubeObject } from "../../machinery/index.ts";
import type { Draft } from "./draft.ts";
import type { ServerContext } from "./server-context.ts";

export interface TrackedWrite {
  readonly context: ServerContext;
  readonly scope: RequestScope;
  readonly draft: Draft;
  readonly old: DeepReadonly<KubeObject> | undefined;
  readonly operation: "Update" | "Apply";
}

export function trackFields(_write: TrackedWrite): void {}
