// Certificates of pods: makes keys, asks signers for certificates by PodCertificateRequest, and asks again in good time.
// A key never leaves the node, and an agent that is started anew asks anew.
import { generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import { resources } from "../../api/index.ts";
import type { PodCertificateRequest } from "../../api/types/certificates/v1beta1.ts";
import type { Pod, PodCertificateProjection } from "../../api/types/core/v1.ts";
import { type Clock, type Logger, type Random, randomInt } from "../../base/index.ts";
import type { Client, Informer, InformerSource } from "../../client/index.ts";
import { type DeepReadonly, writePkcs10 } from "../../machinery/index.ts";
import type { ContentHost, ContentSource } from "./content-source.ts";
import { PayloadError } from "./payload.ts";
import {
  ABANDON_MS,
  type Asked,
  afterAsking,
  type CertificateRequest,
  type CertificateState,
  type Credential,
  stepCertificate,
} from "./pod-certificate-state.ts";

export interface PodCertificatesOptions {
  readonly client: Client;
  readonly informers: InformerSource;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly nodeName: string;
}

/** One podCertificate source of one pod. */
export interface CertificatePlace {
  readonly volumeName: string;
  readonly sourceIndex: number;
}

interface Kept {
  readonly pod: DeepReadonly<Pod>;
  readonly source: DeepReadonly<PodCertificateProjection>;
  state: CertificateState;
  /** Steps are made one after the other. */
  tail: Promise<unknown>;
  /** Called when the state has changed, by whom waits for it. */
  changed: () => void;
}

/** So long a pod's start waits for the signer before the pod is told to wait. */
const PATIENCE_MS = 2_000;
const JITTER_MS = 5 * 60_000;

export class PodCertificates implements ContentSource {
  readonly #options: PodCertificatesOptions;
  #host: ContentHost | undefined;
  #requests: Informer<PodCertificateRequest> | undefined;
  /** By pod uid, then by volume and source. */
  readonly #kept = new Map<string, Map<string, Kept>>();

  constructor(options: PodCertificatesOptions) {
    this.#options = options;
  }

  start(host: ContentHost): void {
    this.#host = host;
  }

  /** Rejects with PayloadError as long as there is none. */
  async credential(
    pod: DeepReadonly<Pod>,
    place: CertificatePlace,
    source: DeepReadonly<PodCertificateProjection>,
    signal?: AbortSignal,
  ): Promise<Credential> {
    this.#requests ??= this.#follow();
    const kept = this.#keptAt(pod, place, source);
    await this.#advance(kept).catch((error: unknown) => {
      // One that cannot be renewed now is still good.
      if (!("credential" in kept.state)) throw error;
      this.#options.logger.warn("cannot renew a certificate", { pod: pod.metadata.name, error });
    });
    if (kept.state.kind === "asked") await this.#untilChanged(kept, signal);
    return usable(kept.state);
  }

  forget(podUid: string): void {
    this.#kept.delete(podUid);
  }

  #keptAt(pod: DeepReadonly<Pod>, { volumeName, sourceIndex }: CertificatePlace, source: DeepReadonly<PodCertificateProjection>): Kept {
    const { uid = "" } = pod.metadata;
    const ofPod = this.#kept.get(uid) ?? new Map<string, Kept>();
    this.#kept.set(uid, ofPod);
    const key = `${volumeName}/${sourceIndex}`;
    const kept = ofPod.get(key) ?? { pod, source, state: { kind: "missing" }, tail: Promise.resolve(), changed: () => {} };
    ofPod.set(key, kept);
    return kept;
  }

  #follow(): Informer<PodCertificateRequest> {
    const { informers, nodeName } = this.#options;
    const host = this.#running();
    const requests = informers.informer(resources.podcertificaterequests, { fieldSelector: `spec.nodeName=${nodeName}` });
    const see = ({ spec }: CertificateRequest) => {
      for (const kept of this.#kept.get(spec.podUID)?.values() ?? []) void this.#seen(kept, host);
    };
    requests.onChange({ added: see, updated: (_, request) => see(request), deleted: see });
    informers.start(host.signal);
    return requests;
  }

  #running(): ContentHost {
    if (this.#host === undefined) throw new Error("the agent does not run");
    return this.#host;
  }

  async #seen(kept: Kept, host: ContentHost): Promise<void> {
    const before = kept.state;
    try {
      await this.#advance(kept);
    } catch (error) {
      this.#options.logger.warn("cannot ask for a certificate", { pod: kept.pod.metadata.name, error });
    }
    if (kept.state === before) return;
    kept.changed();
    host.onChange(kept.pod.metadata.uid ?? "");
  }

  #advance(kept: Kept): Promise<void> {
    const done = kept.tail.then(() => this.#step(kept));
    kept.tail = done.catch(() => undefined);
    return done;
  }

  async #step(kept: Kept): Promise<void> {
    const { clock, random } = this.#options;
    const { namespace = "" } = kept.pod.metadata;
    const request = "asked" in kept.state ? this.#requests?.lister.get(namespace, kept.state.asked.requestName) : undefined;
    const { state, mustAsk, events } = stepCertificate(kept.state, { request, nowMs: clock.now(), jitterMs: randomInt(random, JITTER_MS) });
    kept.state = state;
    for (const { reason, message } of events) this.#host?.warn(kept.pod, reason, message);
    if (mustAsk) kept.state = afterAsking(state, await this.#ask(kept));
  }

  async #ask({ pod, source }: Kept): Promise<Asked> {
    const { client, clock, nodeName } = this.#options;
    const { name = "", namespace = "", uid = "" } = pod.metadata;
    const serviceAccountName = pod.spec?.serviceAccountName ?? "default";
    const account = await client.get(resources.serviceaccounts, serviceAccountName, { namespace });
    const node = await client.get(resources.nodes, nodeName);
    const key = await newKey(source.keyType ?? "");
    const request: CertificateRequest = {
      metadata: { generateName: "req-", namespace, ownerReferences: [{ apiVersion: "v1", kind: "Pod", name, uid }] },
      spec: {
        signerName: source.signerName ?? "",
        podName: name,
        podUID: uid,
        serviceAccountName,
        serviceAccountUID: account.metadata.uid ?? "",
        nodeName,
        nodeUID: node.metadata.uid ?? "",
        maxExpirationSeconds: source.maxExpirationSeconds,
        unverifiedUserAnnotations: source.userAnnotations,
        stubPKCS10Request: writePkcs10(key).toString("base64"),
      },
    };
    const { metadata } = await client.create(resources.podcertificaterequests, request, { namespace });
    const privateKey = key.export({ type: "pkcs8", format: "pem" }).toString();
    return { privateKey, requestName: metadata.name ?? "", abandonAtMs: clock.now() + ABANDON_MS };
  }

  async #untilChanged(kept: Kept, signal: AbortSignal | undefined): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = this.#options.clock.setTimeout(resolve, PATIENCE_MS);
      kept.changed = () => {
        timer.cancel();
        resolve();
      };
      signal?.addEventListener("abort", kept.changed, { once: true });
    });
    kept.changed = () => {};
  }
}

function usable(state: CertificateState): Credential {
  if ("credential" in state) return state.credential;
  if (state.kind !== "refused") throw new PayloadError("credential bundle is not issued yet");
  const verb = state.type === "Denied" ? "denied" : "failed";
  const why = `reason=${JSON.stringify(state.reason)} message=${JSON.stringify(state.message)}`;
  throw new PayloadError(`PodCertificateRequest was permanently ${verb}: ${why}`);
}

const generate = promisify(generateKeyPair);

async function newKey(keyType: string): Promise<KeyObject> {
  const rsa = async (modulusLength: number) => (await generate("rsa", { modulusLength })).privateKey;
  const ec = async (namedCurve: string) => (await generate("ec", { namedCurve })).privateKey;
  switch (keyType) {
    case "RSA3072":
      return await rsa(3072);
    case "RSA4096":
      return await rsa(4096);
    case "ECDSAP256":
      return await ec("P-256");
    case "ECDSAP384":
      return await ec("P-384");
    case "ECDSAP521":
      return await ec("P-521");
    case "ED25519":
      return (await generate("ed25519")).privateKey;
    default:
      throw new PayloadError(`unknown key type: ${keyType}`);
  }
}
