// A request's objects in the version that a webhook or policy asked for, and the way back of what it made of them.
import { type Resource, typeFacts } from "../../../api/index.ts";
import { copyJson, type DeepReadonly, type KubeObject, type TypeFacts } from "../../../machinery/index.ts";
import { decodeBody } from "../../registry/decode.ts";
import { type Draft, draftOf } from "../../registry/draft.ts";
import { fromStoredForm } from "../../registry/stored-as.ts";
import type { AdmissionRequest } from "../admission.ts";
import { apiVersionOf, kindOf } from "./request-identity.ts";

/** Whether the subresource takes a kind of its own, which is shown as it came: Eviction, Binding, TokenRequest. */
function takesOwnKind({ scope, view }: AdmissionRequest): boolean {
  const { resource, subresource } = scope;
  return view === undefined && subresource !== "" && resource.subresources[subresource]?.type !== resource.type;
}

/** `object`, one of the request's, as an object of `resource`. It may be shared: never change it. */
export async function shownAs(request: AdmissionRequest, object: DeepReadonly<KubeObject>, resource: Resource): Promise<Draft> {
  if (takesOwnKind(request)) return object as unknown as Draft;
  if (request.view !== undefined) return request.view.show(object);
  if (resource.storedAs === undefined) return object as unknown as Draft;
  const { subresource } = request.scope;
  const kind = kindOf(resource, subresource);
  return { ...(await fromStoredForm(resource, draftOf(object))), kind: kind.kind, apiVersion: apiVersionOf(kind) };
}

/** The type of what `shownAs` answers; undefined when it has none that is known. */
export function shownFacts({ scope }: AdmissionRequest, resource: Resource): TypeFacts | undefined {
  const type = resource.subresources[scope.subresource]?.type ?? resource.type;
  if (type === resource.type) return resource.facts;
  return type === "" ? undefined : typeFacts(type);
}

/** Changes the request's object to `shown`, an object of `resource`: what it does not know is dropped, defaults are set. */
export async function takeShown(request: AdmissionRequest, shown: Draft, resource: Resource): Promise<void> {
  const { object, view, scope } = request;
  if (object === undefined) return;
  if (view !== undefined) view.take(shown, object);
  else if (takesOwnKind(request)) replaceContent(object, copyJson(shown));
  else replaceContent(object, await decodeBody({ ...scope, resource }, shown, { fieldValidation: "Ignore" }));
}

function replaceContent(target: Draft, source: Draft): void {
  for (const name of Object.keys(target)) delete target[name];
  Object.assign(target, source);
}
