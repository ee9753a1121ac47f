// Reads apiserver.config.k8s.io/v1 EncryptionConfiguration: which resources are encrypted at rest, with which keys.
import { parse } from "yaml";
import { AesGcmCipher, type EncryptionRule, type ValueCipher } from "../../storage/index.ts";

interface Key {
  readonly name?: unknown;
  /** Base64. */
  readonly secret?: unknown;
}

/** One of its members is set: the provider's name. */
type Provider = Readonly<Record<string, { readonly keys?: readonly Key[] } | null>>;

interface ResourceConfiguration {
  readonly resources?: readonly string[];
  readonly providers?: readonly Provider[];
}

/** A configuration that cannot be followed; the message says what to change. */
export class EncryptionConfigurationError extends Error {
  readonly code = "ENCRYPTION_CONFIGURATION";
}

/** @throws EncryptionConfigurationError */
export function parseEncryptionConfiguration(text: string, randomBytes: (count: number) => Uint8Array): EncryptionRule[] {
  const document = parse(text) as { kind?: unknown; apiVersion?: unknown; resources?: readonly ResourceConfiguration[] } | null;
  if (document?.kind !== "EncryptionConfiguration" || document.apiVersion !== "apiserver.config.k8s.io/v1")
    throw new EncryptionConfigurationError("the encryption configuration must be an apiserver.config.k8s.io/v1 EncryptionConfiguration");
  return (document.resources ?? []).map((entry) => ruleOf(entry, randomBytes));
}

function ruleOf({ resources = [], providers = [] }: ResourceConfiguration, randomBytes: (count: number) => Uint8Array): EncryptionRule {
  if (resources.length === 0 || providers.length === 0)
    throw new EncryptionConfigurationError("each entry of the encryption configuration needs resources and providers");
  const ciphers = providers.map((provider) => ciphersOf(provider, randomBytes));
  return {
    prefixes: resources.map(prefixOf),
    writer: ciphers[0]?.[0],
    readers: ciphers.flat(),
    acceptsPlain: ciphers.some((list) => list.length === 0),
  };
}

/** A provider's ciphers, the one that writes first; none for `identity`. */
function ciphersOf(provider: Provider, randomBytes: (count: number) => Uint8Array): ValueCipher[] {
  const [[name = "", settings] = []] = Object.entries(provider);
  if (name === "identity") return [];
  if (name !== "aesgcm")
    throw new EncryptionConfigurationError(
      `the encryption provider "${name}" is not supported: use aesgcm, or identity to keep values in clear`,
    );
  const keys = settings?.keys ?? [];
  if (keys.length === 0) throw new EncryptionConfigurationError("the encryption provider aesgcm needs keys");
  return keys.map(({ name: keyName, secret }) => {
    if (typeof keyName !== "string" || keyName === "" || keyName.includes(":") || typeof secret !== "string")
      throw new EncryptionConfigurationError('each encryption key needs a name without ":" and a secret in base64');
    try {
      return new AesGcmCipher({ keyName, key: Buffer.from(secret, "base64"), randomBytes });
    } catch (cause) {
      throw new EncryptionConfigurationError((cause as Error).message, { cause });
    }
  });
}

/** `secrets`, `deployments.apps`, `*.apps`, `*.` for all of the core group, `*.*` for everything. */
function prefixOf(resource: string): string {
  const dot = resource.indexOf(".");
  const [plural, group] = dot < 0 ? [resource, ""] : [resource.slice(0, dot), resource.slice(dot + 1)];
  if (group === "*") return "/registry/";
  const groupPrefix = `/registry/${group === "" ? "core" : group}/`;
  return plural === "*" ? groupPrefix : `${groupPrefix}${plural}/`;
}
