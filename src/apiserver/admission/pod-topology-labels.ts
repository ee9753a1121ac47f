// PodTopologyLabels: a pod learns in which zone and region its node is, by labels of its own.
import { podTopologyLabels } from "../../api/index.ts";
import type { KubeObject } from "../../machinery/index.ts";
import { type AdmissionPlugin, type AdmissionRequest, isCreation } from "./admission.ts";
import { type ClusterView, lookUpCached } from "./cluster-view.ts";
import { podSpec } from "./pod-fields.ts";

export class PodTopologyLabels implements AdmissionPlugin {
  readonly name = "PodTopologyLabels";
  readonly resources = ["/pods"];
  readonly mayMutate = isCreation;
  readonly #view: ClusterView;

  constructor(view: ClusterView) {
    this.#view = view;
  }

  mutate({ operation, scope, object }: AdmissionRequest): void {
    if (operation !== "CREATE" || object === undefined) return;
    const isBinding = scope.subresource === "binding";
    if (!isBinding && scope.subresource !== "") return;
    const target = isBinding ? (object["target"] as { readonly name?: string } | undefined)?.name : podSpec(object).nodeName;
    const node = target === undefined || target === "" ? undefined : lookUpCached<KubeObject>(this.#view, "core/nodes", target);
    const labels = podTopologyLabels(node?.metadata.labels);
    if (labels !== undefined) object.metadata.labels = { ...object.metadata.labels, ...labels };
  }
}
