// Resources that are kept under another version or group of the same kind, and how they are converted.
import type { KubeObject } from "../machinery/index.ts";
import { autoscalerToV1, autoscalerToV2 } from "./autoscaling/conversion.ts";
import { podCertificateRequestToBeta, podCertificateRequestToV1 } from "./certificates/conversion.ts";
import { eventFromCore, eventToCore } from "./events/conversion.ts";

export interface Conversion {
  /** `group/version/plural` of the resource that objects are kept as. */
  readonly storedId: string;
  toStored(object: KubeObject): KubeObject;
  fromStored(object: KubeObject): KubeObject;
}

/** The functions are written for their own kinds; the resource's id vouches for the kind. */
function conversion<T extends KubeObject, S extends KubeObject>(
  storedId: string,
  toStored: (object: T) => S,
  fromStored: (object: S) => T,
): Conversion {
  return { storedId, toStored: (object) => toStored(object as T), fromStored: (object) => fromStored(object as S) };
}

/** For a kind that reached its stable version as it was; it is kept in the beta version, which older servers read. */
function promoted(beta: string, { group, plural }: { readonly group: string; readonly plural: string }): Conversion {
  const as = (version: string) => (object: KubeObject) => ({ ...object, apiVersion: `${group}/${version}` });
  return { storedId: `${group}/${beta}/${plural}`, toStored: as(beta), fromStored: as("v1") };
}

/** By `group/version/plural`. */
export const conversions: Readonly<Record<string, Conversion>> = {
  "autoscaling/v1/horizontalpodautoscalers": conversion("autoscaling/v2/horizontalpodautoscalers", autoscalerToV2, autoscalerToV1),
  "events.k8s.io/v1/events": conversion("/v1/events", eventToCore, eventFromCore),
  "certificates.k8s.io/v1/clustertrustbundles": promoted("v1beta1", { group: "certificates.k8s.io", plural: "clustertrustbundles" }),
  "certificates.k8s.io/v1/podcertificaterequests": conversion(
    "certificates.k8s.io/v1beta1/podcertificaterequests",
    podCertificateRequestToBeta,
    podCertificateRequestToV1,
  ),
  "storagemigration.k8s.io/v1/storageversionmigrations": promoted("v1beta1", {
    group: "storagemigration.k8s.io",
    plural: "storageversionmigrations",
  }),
};
