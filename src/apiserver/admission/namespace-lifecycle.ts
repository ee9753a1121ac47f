// NamespaceLifecycle: nothing is created in a namespace that is not there or is going away; some namespaces stay.
import { type DeepReadonly, forbidden, type KubeObject, notFound, type StatusError } from "../../machinery/index.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./admission.ts";
import { type ClusterView, lookUpCached, lookUpStored } from "./cluster-view.ts";

const immortalNamespaces = new Set(["default", "kube-system", "kube-public"]);
const namespaces = { group: "", resource: "namespaces" };

interface Namespace extends KubeObject {
  readonly status?: { readonly phase?: string };
}

export class NamespaceLifecycle implements AdmissionPlugin {
  readonly name = "NamespaceLifecycle";
  readonly #view: ClusterView;

  constructor(view: ClusterView) {
    this.#view = view;
  }

  validate(request: AdmissionRequest): void | Promise<void> {
    const { operation, scope } = request;
    const isNamespace = scope.resource.resource === "namespaces" && scope.resource.group === "";
    if (isNamespace) {
      const isImmortal = operation === "DELETE" && immortalNamespaces.has(scope.name);
      if (isImmortal) throw forbidden(namespaces, scope.name, "this namespace may not be deleted");
      return;
    }
    if (operation !== "CREATE" || !scope.resource.namespaced || scope.subresource !== "") return;
    const cached = lookUpCached<Namespace>(this.#view, "core/namespaces", scope.namespace);
    if (cached === undefined) return this.#checkStored(request);
    checkActive(request, cached);
  }

  async #checkStored(request: AdmissionRequest): Promise<void> {
    const { namespace } = request.scope;
    const stored = await lookUpStored<Namespace>(this.#view, "core/namespaces", namespace);
    if (stored === undefined) throw notFound(namespaces, namespace);
    checkActive(request, stored);
  }
}

function checkActive({ scope, object }: AdmissionRequest, namespace: DeepReadonly<Namespace>): void {
  if (namespace.metadata.deletionTimestamp === undefined && namespace.status?.phase !== "Terminating") return;
  throw terminating(scope.resource, object?.metadata.name ?? scope.name, scope.namespace);
}

function terminating(resource: { readonly group: string; readonly resource: string }, name: string, namespace: string): StatusError {
  const error = forbidden(resource, name, `unable to create new content in namespace ${namespace} because it is being terminated`);
  const cause = { reason: "NamespaceTerminating", message: `namespace ${namespace} is being terminated`, field: "metadata.namespace" };
  error.status.details = { ...error.status.details, causes: [cause] };
  return error;
}
