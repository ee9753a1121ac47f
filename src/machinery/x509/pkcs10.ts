// Certificate requests (PKCS #10) as far as pods' certificates need them: a public key, and a signature by its private key.
// @see https://www.rfc-editor.org/rfc/rfc2986
import { createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { BitString, Constructed, fromBER, Integer, Null, ObjectIdentifier, Sequence } from "asn1js";

export interface Pkcs10Request {
  readonly publicKey: KeyObject;
  /** Whether the request is signed with the key that it shows. */
  readonly isProven: boolean;
}

const RSA_SHA256 = "1.2.840.113549.1.1.11";
const ECDSA_SHA256 = "1.2.840.10045.4.3.2";
const ECDSA_SHA384 = "1.2.840.10045.4.3.3";
const ECDSA_SHA512 = "1.2.840.10045.4.3.4";
const ED25519 = "1.3.101.112";

/** By signature algorithm: the hash that is signed; null where the scheme hashes by itself. */
const hashes: ReadonlyMap<string, string | null> = new Map([
  [RSA_SHA256, "sha256"],
  ["1.2.840.113549.1.1.12", "sha384"],
  ["1.2.840.113549.1.1.13", "sha512"],
  [ECDSA_SHA256, "sha256"],
  [ECDSA_SHA384, "sha384"],
  [ECDSA_SHA512, "sha512"],
  [ED25519, null],
]);
const ecdsaByCurve: Readonly<Record<string, string>> = { prime256v1: ECDSA_SHA256, secp384r1: ECDSA_SHA384, secp521r1: ECDSA_SHA512 };

/** Undefined for what is no request, or shows a key of an unknown kind. */
export function readPkcs10(der: Uint8Array): Pkcs10Request | undefined {
  try {
    return readRequest(der);
  } catch {
    // Fields that are malformed inside of a well-formed frame, or a signature that no such key can make.
    return undefined;
  }
}

function readRequest(der: Uint8Array): Pkcs10Request | undefined {
  const { result, offset } = fromBER(der);
  if (offset !== der.byteLength || !(result instanceof Sequence)) return undefined;
  const [info, algorithm, signature] = result.valueBlock.value;
  if (!(info instanceof Sequence && algorithm instanceof Sequence && signature instanceof BitString)) return undefined;
  const [, , keyInfo] = info.valueBlock.value;
  const [identifier] = algorithm.valueBlock.value;
  if (keyInfo === undefined || !(identifier instanceof ObjectIdentifier)) return undefined;
  const publicKey = readKey(keyInfo.valueBeforeDecodeView);
  if (publicKey === undefined) return undefined;
  const hash = hashes.get(identifier.getValue());
  const isProven = hash !== undefined && verify(hash, info.valueBeforeDecodeView, publicKey, signature.valueBlock.valueHexView);
  return { publicKey, isProven };
}

/** A public key in SubjectPublicKeyInfo; undefined when it cannot be read. */
export function readKey(der: Uint8Array): KeyObject | undefined {
  try {
    return createPublicKey({ key: Buffer.from(der), format: "der", type: "spki" });
  } catch {
    return undefined;
  }
}

/** A request that says nothing but the public key. */
export function writePkcs10(privateKey: KeyObject): Buffer {
  const keyInfo = createPublicKey(privateKey).export({ format: "der", type: "spki" });
  const noAttributes = new Constructed({ idBlock: { tagClass: 3, tagNumber: 0 } });
  const info = new Sequence({ value: [new Integer({ value: 0 }), new Sequence(), fromBER(keyInfo).result, noAttributes] });
  const signed = Buffer.from(info.toBER());
  const algorithm = signatureAlgorithm(privateKey);
  const signature = sign(hashes.get(algorithm), signed, privateKey);
  const parameters = algorithm === RSA_SHA256 ? [new Null()] : [];
  const identifier = new Sequence({ value: [new ObjectIdentifier({ value: algorithm }), ...parameters] });
  return Buffer.from(new Sequence({ value: [info, identifier, new BitString({ valueHex: signature })] }).toBER());
}

function signatureAlgorithm({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string {
  if (asymmetricKeyType === "ed25519") return ED25519;
  return ecdsaByCurve[asymmetricKeyDetails?.namedCurve ?? ""] ?? RSA_SHA256;
}
