// What the expressions of webhooks and policies see of a request; each part is made when an expression asks for it.
import type { Resource } from "../../../api/index.ts";
import { type AskAuthorizer, celAuthorizer, celResourceCheck } from "../../../machinery/cel/index.ts";
import type { Authorizer } from "../../authz/authorizer.ts";
import { requestSelectors } from "../../authz/request-selectors.ts";
import type { AdmissionRequest } from "../admission.ts";
import { PatientAuthorizer } from "./patient-authorizer.ts";
import { nameOfRequest } from "./request-identity.ts";
import { requestJson } from "./request-json.ts";
import { shownAs } from "./shown-object.ts";

/** Getters for `object`, `oldObject`, `request` and `authorizer`, for `evaluatePatiently`; the request is shown as one for `shown`. */
export async function celVariables(
  request: AdmissionRequest,
  shown: Resource,
  authorizer: Authorizer,
): Promise<Readonly<Record<string, unknown>>> {
  const { object, old, scope } = request;
  // Expressions do not wait: what has to be converted, perhaps by a webhook, is there before they run.
  const shownObject = object === undefined ? null : await shownAs(request, object, shown);
  const shownOld = old === undefined ? null : await shownAs(request, old, shown);
  const once = new Map<string, unknown>();
  const lazily = (name: string, make: () => unknown) => {
    if (!once.has(name)) once.set(name, make());
    return once.get(name);
  };
  const ask = askAs(request, new PatientAuthorizer(authorizer));
  const { group, resource } = shown;
  return {
    object: shownObject,
    oldObject: shownOld,
    get request() {
      return lazily("request", () => requestJson(request, shown));
    },
    get authorizer() {
      return celAuthorizer(ask);
    },
    get "authorizer.requestResource"() {
      const { subresource, namespace } = scope;
      return celResourceCheck(ask, { group, resource, subresource, namespace, name: nameOfRequest(request) });
    },
  };
}

function askAs({ scope }: AdmissionRequest, authorizer: PatientAuthorizer): AskAuthorizer {
  return ({ serviceAccount, path, verb, group, resource, subresource, namespace, name, ...selectors }) => {
    const user = serviceAccount === undefined ? scope.user : serviceAccountUser(serviceAccount);
    const about = { user, verb, group, version: "*", resource, subresource, namespace, name, ...requestSelectors(verb, selectors) };
    return authorizer.authorize(path === undefined ? about : { ...about, version: "", path });
  };
}

function serviceAccountUser({ namespace, name }: { readonly namespace: string; readonly name: string }) {
  const groups = ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"];
  return { name: `system:serviceaccount:${namespace}:${name}`, groups };
}
