// What the two halves of an object, spec and status, keep of what was there before.
import type { KubeObject } from "../../machinery/index.ts";

interface SpecAndStatus extends KubeObject {
  spec?: unknown;
  status?: unknown;
}

/** A creator may not set the status. */
export function dropStatus(object: SpecAndStatus): void {
  delete object.status;
}

/** An update of the object leaves the status as it was. */
export function keepStatus(object: SpecAndStatus, old: SpecAndStatus): void {
  if (old.status === undefined) delete object.status;
  else object.status = old.status;
}

/** An update of the status leaves all that people put on an object as it was. */
export function keepSpecAndMetadata(object: SpecAndStatus, old: SpecAndStatus): void {
  keepSpec(object, old);
  for (const name of ["labels", "annotations", "finalizers", "ownerReferences"] as const) {
    delete object.metadata[name];
    if (old.metadata[name] !== undefined) Object.assign(object.metadata, { [name]: old.metadata[name] });
  }
}

/** An update of the status leaves the specification as it was. */
export function keepSpec(object: SpecAndStatus, old: SpecAndStatus): void {
  if (old.spec === undefined) delete object.spec;
  else object.spec = old.spec;
}
