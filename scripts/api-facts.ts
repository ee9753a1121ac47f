// Facts about resources that Kubernetes' OpenAPI document does not carry: which groups are stable, short names, categories.

/** `group/version` of everything that is served; `""` is the core group. */
export const includedGroupVersions = new Set([
  "/v1",
  "admissionregistration.k8s.io/v1",
  "apiextensions.k8s.io/v1",
  "apiregistration.k8s.io/v1",
  "apps/v1",
  "authentication.k8s.io/v1",
  "authorization.k8s.io/v1",
  "autoscaling/v1",
  "autoscaling/v2",
  "batch/v1",
  "certificates.k8s.io/v1",
  "coordination.k8s.io/v1",
  "discovery.k8s.io/v1",
  "events.k8s.io/v1",
  "flowcontrol.apiserver.k8s.io/v1",
  "networking.k8s.io/v1",
  "node.k8s.io/v1",
  "policy/v1",
  "rbac.authorization.k8s.io/v1",
  "resource.k8s.io/v1",
  "scheduling.k8s.io/v1",
  "storage.k8s.io/v1",
]);

export interface ExtraResourceFacts {
  shortNames?: string[];
  categories?: string[];
}

const all = ["all"];
const extensions = ["api-extensions"];

/** Keyed by `group/resource`. */
export const extraResourceFacts: Record<string, ExtraResourceFacts> = {
  "/componentstatuses": { shortNames: ["cs"] },
  "/configmaps": { shortNames: ["cm"] },
  "/endpoints": { shortNames: ["ep"] },
  "/events": { shortNames: ["ev"] },
  "/limitranges": { shortNames: ["limits"] },
  "/namespaces": { shortNames: ["ns"] },
  "/nodes": { shortNames: ["no"] },
  "/persistentvolumeclaims": { shortNames: ["pvc"] },
  "/persistentvolumes": { shortNames: ["pv"] },
  "/pods": { shortNames: ["po"], categories: all },
  "/replicationcontrollers": { shortNames: ["rc"], categories: all },
  "/resourcequotas": { shortNames: ["quota"] },
  "/serviceaccounts": { shortNames: ["sa"] },
  "/services": { shortNames: ["svc"], categories: all },
  "admissionregistration.k8s.io/mutatingadmissionpolicies": { categories: extensions },
  "admissionregistration.k8s.io/mutatingadmissionpolicybindings": { categories: extensions },
  "admissionregistration.k8s.io/mutatingwebhookconfigurations": { categories: extensions },
  "admissionregistration.k8s.io/validatingadmissionpolicies": { categories: extensions },
  "admissionregistration.k8s.io/validatingadmissionpolicybindings": { categories: extensions },
  "admissionregistration.k8s.io/validatingwebhookconfigurations": { categories: extensions },
  "apiextensions.k8s.io/customresourcedefinitions": { shortNames: ["crd", "crds"], categories: extensions },
  "apiregistration.k8s.io/apiservices": { categories: extensions },
  "apps/daemonsets": { shortNames: ["ds"], categories: all },
  "apps/deployments": { shortNames: ["deploy"], categories: all },
  "apps/replicasets": { shortNames: ["rs"], categories: all },
  "apps/statefulsets": { shortNames: ["sts"], categories: all },
  "autoscaling/horizontalpodautoscalers": { shortNames: ["hpa"], categories: all },
  "batch/cronjobs": { shortNames: ["cj"], categories: all },
  "batch/jobs": { categories: all },
  "certificates.k8s.io/certificatesigningrequests": { shortNames: ["csr"] },
  "events.k8s.io/events": { shortNames: ["ev"] },
  "networking.k8s.io/ingresses": { shortNames: ["ing"] },
  "networking.k8s.io/ipaddresses": { shortNames: ["ip"] },
  "networking.k8s.io/networkpolicies": { shortNames: ["netpol"] },
  "policy/poddisruptionbudgets": { shortNames: ["pdb"] },
  "scheduling.k8s.io/priorityclasses": { shortNames: ["pc"] },
  "storage.k8s.io/storageclasses": { shortNames: ["sc"] },
  "storage.k8s.io/volumeattributesclasses": { shortNames: ["vac"] },
};
