// DefaultIngressClass: an Ingress that names no class gets the cluster's default one.
import type { Ingress, IngressClass } from "../../api/types/networking/v1.ts";
import { type AdmissionPlugin, type AdmissionRequest, isCreation } from "./admission.ts";
import { type ClusterView, lookUpAll } from "./cluster-view.ts";
import { newestDefault } from "./default-class.ts";

const DEFAULT_KEYS = ["ingressclass.kubernetes.io/is-default-class"];
const CLASS_ANNOTATION = "kubernetes.io/ingress.class";

export class DefaultIngressClass implements AdmissionPlugin {
  readonly name = "DefaultIngressClass";
  readonly resources = ["networking.k8s.io/ingresses"];
  readonly mayMutate = isCreation;
  readonly #view: ClusterView;

  constructor(view: ClusterView) {
    this.#view = view;
  }

  mutate({ operation, scope, object }: AdmissionRequest): void {
    if (operation !== "CREATE" || scope.subresource !== "" || object === undefined) return;
    const { spec = {}, metadata } = object as unknown as Ingress;
    if (spec.ingressClassName !== undefined || metadata.annotations?.[CLASS_ANNOTATION] !== undefined) return;
    const found = newestDefault(lookUpAll<IngressClass>(this.#view, "networking.k8s.io/ingressclasses"), DEFAULT_KEYS);
    if (found?.metadata.name !== undefined) object["spec"] = { ...spec, ingressClassName: found.metadata.name };
  }
}
