// The file that a clusterTrustBundle source stands for: certificates of the chosen bundles, each once.
import type { ClusterTrustBundle } from "../../api/types/certificates/v1beta1.ts";
import type { ClusterTrustBundleProjection } from "../../api/types/core/v1.ts";
import { type DeepReadonly, encodePem, labelSelectorMatcher, pemBlocks } from "../../machinery/index.ts";
import { PayloadError } from "./payload.ts";

export type TrustBundle = DeepReadonly<ClusterTrustBundle>;

/** PEM, in the order of the certificates' bytes; throws PayloadError when nothing is there and something must be. */
export function trustAnchors(bundles: readonly TrustBundle[], source: DeepReadonly<ClusterTrustBundleProjection>): string {
  const chosen = chooseBundles(bundles, source);
  if (chosen.length === 0 && source.optional !== true) {
    if (source.name === undefined) throw new PayloadError("combination of signerName and labelSelector matched zero ClusterTrustBundles");
    throw new PayloadError(`while getting ClusterTrustBundle: clustertrustbundle.certificates.k8s.io "${source.name}" not found`);
  }
  const anchors = chosen.flatMap(({ spec }) => pemBlocks(spec.trustBundle)).map(({ der }) => der.toString("hex"));
  return [...new Set(anchors)]
    .sort()
    .map((anchor) => encodePem("CERTIFICATE", Buffer.from(anchor, "hex")))
    .join("");
}

function chooseBundles(bundles: readonly TrustBundle[], source: DeepReadonly<ClusterTrustBundleProjection>): readonly TrustBundle[] {
  const { name, signerName, labelSelector } = source;
  if (name !== undefined) return bundles.filter(({ metadata }) => metadata.name === name);
  // No selector chooses nothing, an empty one everything.
  const selector = labelSelectorMatcher(labelSelector);
  return bundles.filter(({ metadata, spec }) => spec.signerName === signerName && selector.matches(metadata.labels ?? {}));
}
