// Access to devices that others use, for administrators: claims may ask for it only in namespaces that are marked for it.
import type { Namespace } from "../../api/types/core/v1.ts";
import type { ResourceClaim, ResourceClaimTemplate } from "../../api/types/resource/v1.ts";
import { field, invalid } from "../../machinery/index.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./admission.ts";
import { type ClusterView, lookUp } from "./cluster-view.ts";

const ADMIN_LABEL = "resource.kubernetes.io/admin-access";

export class DeviceAdminAccess implements AdmissionPlugin {
  readonly name = "DeviceAdminAccess";
  readonly resources = ["resource.k8s.io/resourceclaims", "resource.k8s.io/resourceclaimtemplates"];
  readonly #view: ClusterView;

  constructor(view: ClusterView) {
    this.#view = view;
  }

  validate(request: AdmissionRequest): void | Promise<void> {
    // What a claim asks for never changes.
    if (request.operation !== "CREATE" || request.scope.subresource !== "") return undefined;
    const { spec } = request.object as unknown as ResourceClaim | ResourceClaimTemplate;
    const requests = ("spec" in spec ? spec.spec : spec).devices?.requests ?? [];
    const index = requests.findIndex(({ exactly }) => exactly?.adminAccess === true);
    return index < 0 ? undefined : this.#check(request, `spec.devices.requests[${index}].adminAccess`);
  }

  async #check({ scope, object }: AdmissionRequest, path: string): Promise<void> {
    const namespace = await lookUp<Namespace>(this.#view, "core/namespaces", scope.namespace);
    if (namespace?.metadata.labels?.[ADMIN_LABEL] === "true") return;
    const detail = `admin access to devices requires the \`${ADMIN_LABEL}: true\` label on the containing namespace`;
    throw invalid(scope.resource, object?.metadata.name ?? "", [field.forbidden(path, detail)]);
  }
}
