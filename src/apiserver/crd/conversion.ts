// Converts custom resources between the versions of their definition: by changing apiVersion alone, or by asking a webhook.
// @see https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning/
import type { CustomResourceConversion } from "../../api/types/apiextensions/v1.ts";
import { type Random, uuid } from "../../base/index.ts";
import { deepEqual, internalError, type KubeObject } from "../../machinery/index.ts";
import type { WebhookClient } from "../webhooks/index.ts";

/** Asks a webhook; what `WebhookClient` does. */
export type WebhookCaller = Pick<WebhookClient, "call">;

export interface ConverterOptions {
  readonly conversion: CustomResourceConversion | undefined;
  /** The kind, for error texts. */
  readonly kind: string;
  readonly group: string;
  /** Absent: webhooks cannot be called. */
  readonly webhooks: WebhookCaller | undefined;
  readonly random: Random;
}

/** Upstream's limit for one conversion. */
const timeoutMs = 30_000;

interface Pending {
  readonly object: KubeObject;
  readonly resolve: (object: KubeObject) => void;
  readonly reject: (error: unknown) => void;
}

/** Converts the objects of one definition. Conversions asked for in the same turn go to the webhook together. */
export class Converter {
  readonly #options: ConverterOptions;
  readonly #pending = new Map<string, Pending[]>();

  constructor(options: ConverterOptions) {
    this.#options = options;
  }

  /** The object in `apiVersion`; itself if it is. A promise only if a webhook is asked. */
  convert(object: KubeObject, apiVersion: string): KubeObject | Promise<KubeObject> {
    if (object.apiVersion === apiVersion) return object;
    if (this.#options.conversion?.strategy !== "Webhook") return { ...object, apiVersion };
    return new Promise((resolve, reject) => {
      const waiting = this.#pending.get(apiVersion);
      if (waiting !== undefined) waiting.push({ object, resolve, reject });
      else {
        this.#pending.set(apiVersion, [{ object, resolve, reject }]);
        queueMicrotask(() => void this.#flush(apiVersion));
      }
    });
  }

  async #flush(apiVersion: string): Promise<void> {
    const pending = this.#pending.get(apiVersion) ?? [];
    this.#pending.delete(apiVersion);
    try {
      const converted = await this.#ask(
        pending.map(({ object }) => object),
        apiVersion,
      );
      for (const [index, { object, resolve, reject }] of pending.entries()) {
        const problem = mismatch(object, converted[index], apiVersion);
        if (problem !== undefined) reject(this.#failure(object, problem));
        else resolve(restoreMetadata(converted[index] as KubeObject, object));
      }
    } catch (error) {
      for (const { object, reject } of pending) reject(this.#failure(object, messageOf(error), error));
    }
  }

  async #ask(objects: readonly KubeObject[], desiredAPIVersion: string): Promise<readonly unknown[]> {
    const { conversion, webhooks, random } = this.#options;
    const { clientConfig, conversionReviewVersions = [] } = conversion?.webhook ?? {};
    if (clientConfig === undefined || webhooks === undefined) throw new Error("no webhook can be called");
    const version = conversionReviewVersions.find((name) => name === "v1" || name === "v1beta1") ?? "v1";
    const uid = uuid(random);
    const review = {
      kind: "ConversionReview",
      apiVersion: `apiextensions.k8s.io/${version}`,
      request: { uid, desiredAPIVersion, objects },
    };
    const answer = (await webhooks.call(clientConfig, review, { timeoutMs })) as ConversionReview | null;
    const { response } = answer ?? {};
    if (response === undefined || response === null) throw new Error("no response provided");
    if (version === "v1" && response.uid !== uid)
      throw new Error(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response.uid ?? "")}`);
    if (response.result?.status !== "Success") throw new Error(response.result?.message ?? "webhook answered without success");
    const { convertedObjects = [] } = response;
    if (convertedObjects.length !== objects.length)
      throw new Error(`webhook returned ${convertedObjects.length} objects, expected ${objects.length}`);
    return convertedObjects;
  }

  #failure(object: KubeObject, problem: string, cause?: unknown): Error {
    const { group, kind } = this.#options;
    const version = object.apiVersion?.split("/").at(-1) ?? "";
    return internalError(new Error(`conversion webhook for ${group}/${version}, Kind=${kind} failed: ${problem}`, { cause }));
  }
}

/** What a webhook answers, so far as it is looked at. */
interface ConversionReview {
  readonly response?: {
    readonly uid?: string;
    readonly convertedObjects?: readonly unknown[];
    readonly result?: { readonly status?: string; readonly message?: string };
  } | null;
}

/** Why the webhook's object is none that it may return. */
function mismatch(object: KubeObject, converted: unknown, apiVersion: string): string | undefined {
  if (typeof converted !== "object" || converted === null) return "webhook returned an invalid object";
  const { kind, apiVersion: version, metadata } = converted as Partial<KubeObject>;
  if (version !== apiVersion) return `invalid converted object: invalid groupVersion ${String(version)}, expected ${apiVersion}`;
  if (kind !== object.kind) return `invalid converted object: invalid kind ${String(kind)}, expected ${object.kind}`;
  if (metadata?.name !== object.metadata.name) return `invalid converted object: invalid name ${String(metadata?.name)}`;
  if (metadata?.namespace !== object.metadata.namespace)
    return `invalid converted object: invalid namespace ${String(metadata?.namespace)}`;
  return metadata?.uid === object.metadata.uid ? undefined : `invalid converted object: invalid UID ${String(metadata?.uid)}`;
}

/** A webhook may change labels and annotations of the metadata, nothing else. */
function restoreMetadata(converted: KubeObject, original: KubeObject): KubeObject {
  const { labels, annotations } = converted.metadata;
  const { labels: _, annotations: __, ...kept } = original.metadata;
  const metadata = { ...kept, ...(labels !== undefined && { labels }), ...(annotations !== undefined && { annotations }) };
  return deepEqual(converted.metadata, metadata) ? converted : { ...converted, metadata };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
