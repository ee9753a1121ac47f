// The bundle by which servers of the API are known, and what earlier authorities have left of such.
import { createHash } from "node:crypto";
import type { ClusterTrustBundle } from "../../api/types/certificates/v1beta1.ts";
import { type DeepReadonly, pemBlocks } from "../../machinery/index.ts";

type Bundle = DeepReadonly<ClusterTrustBundle>;

export const SERVING_SIGNER = "kubernetes.io/kube-apiserver-serving";
const HASH_LENGTH = 24;

export interface PublishPlan {
  readonly create?: Bundle;
  readonly update?: Bundle;
  readonly remove: readonly string[];
}

/** `current`: all bundles there are. Without a certificate there is nothing to publish. The content is in the name, so that a new authority does not take the old one away first. */
export function planServingBundle(caPem: string, current: readonly Bundle[]): PublishPlan {
  if (pemBlocks(caPem).length === 0) return { remove: [] };
  const hash = createHash("sha256").update(caPem).digest("hex").slice(0, HASH_LENGTH);
  const name = `${SERVING_SIGNER.replaceAll("/", ":")}:${hash}`;
  const spec = { signerName: SERVING_SIGNER, trustBundle: caPem };
  const own = current.filter((bundle) => bundle.spec.signerName === SERVING_SIGNER);
  const known = own.find(({ metadata }) => metadata.name === name);
  const remove = own.map(({ metadata }) => metadata.name ?? "").filter((other) => other !== name);
  if (known === undefined) return { create: { metadata: { name }, spec }, remove };
  return known.spec.trustBundle === caPem ? { remove } : { update: { ...known, spec }, remove };
}
