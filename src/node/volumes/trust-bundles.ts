// The cluster's trust bundles as volumes show them. They are followed from when the first pod of the node wants some.
import { resources } from "../../api/index.ts";
import type { ClusterTrustBundle } from "../../api/types/certificates/v1beta1.ts";
import type { ClusterTrustBundleProjection } from "../../api/types/core/v1.ts";
import type { Informer, InformerSource } from "../../client/index.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import type { ContentHost, ContentSource } from "./content-source.ts";
import { type TrustBundle, trustAnchors } from "./trust-anchors.ts";

export class TrustBundles implements ContentSource {
  readonly #informers: InformerSource;
  #host: ContentHost | undefined;
  #bundles: Informer<ClusterTrustBundle> | undefined;
  /** By pod uid: the names of bundles and signers that its volumes show. */
  readonly #shown = new Map<string, Set<string>>();

  constructor(informers: InformerSource) {
    this.#informers = informers;
  }

  start(host: ContentHost): void {
    this.#host = host;
  }

  /** The file's text. Rejects with PayloadError when nothing is there and something must be. */
  async anchors(podUid: string, source: DeepReadonly<ClusterTrustBundleProjection>, signal?: AbortSignal): Promise<string> {
    const host = this.#host;
    if (host === undefined) throw new Error("the agent does not run");
    this.#shown.set(podUid, (this.#shown.get(podUid) ?? new Set<string>()).add(source.name ?? source.signerName ?? ""));
    this.#bundles ??= this.#follow(host);
    if (!this.#bundles.hasSynced)
      await this.#informers.waitForSync(AbortSignal.any([host.signal, ...(signal === undefined ? [] : [signal])]));
    return trustAnchors(this.#bundles.lister.list(), source);
  }

  forget(podUid: string): void {
    this.#shown.delete(podUid);
  }

  #follow(host: ContentHost): Informer<ClusterTrustBundle> {
    const bundles: Informer<ClusterTrustBundle> = this.#informers.informer(resources.clustertrustbundles);
    const changed = ({ metadata: { name = "" }, spec: { signerName = "" } }: TrustBundle) => {
      // The first ones are read by those who wait for them.
      if (!bundles.hasSynced) return;
      for (const [podUid, names] of this.#shown) if (names.has(name) || names.has(signerName)) host.onChange(podUid);
    };
    bundles.onChange({ added: changed, updated: (_, bundle) => changed(bundle), deleted: changed });
    this.#informers.start(host.signal);
    return bundles;
  }
}
